"""Tables that release 0.1 wrote give the same reads, repeats, reconciliations and executions as in that release.

`tables_0_1.json` contains the rows and objects that release 0.1 stored during some days of calls through its public
routes, and the responses of its routes at the end (`answers`), after its reconciler ran (`reconciled`), and to
repeated calls (`calls`). The clock is set to the end of those days. Three things cannot be stored in a file:

- ciphertexts: each simulated cloud has another KMS key, so the users' keys are encrypted again with the same context;
- the signature in a link to an image;
- the wording of errors, which may change between releases, unless the error itself was stored.
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from instant.adapters.aws import client as aws
from tests.fakes.aws_stores import kept_tables, set_back
from tests.fakes.clock import FakeClock
from tests.integration.app import Answer, App, deployed_app

SAVED: dict[str, Any] = json.loads((Path(__file__).parent / "tables_0_1.json").read_text())
NOW = datetime.fromisoformat(SAVED["now"])
REMOVED = {"total_earned_usdc"}
"""Fields of responses that were removed after release 0.1."""

KEYS = "/api/user/api-keys"
ADDED = {
    "cancel_requested_at",
    "parent_id",
    "replaces",
    "top_context_length",
    "supported_voices",
    "knowledge_cutoff",
    "is_moderated",
}
"""Fields of responses that were added after release 0.1."""

CLASSES = ("type", "param")
"""Fields of errors that were added after release 0.1; stored errors get them when they are replayed."""

ENDED = [name for name, call in SAVED["calls"].items() if call["is_stored"]]
"""The calls whose answer or failure is stored."""


@pytest.fixture(scope="module")
def clock() -> Iterator[FakeClock]:
    """The clock of all functions."""
    clock = FakeClock(NOW)
    with mock.patch("instant.adapters.clock.datetime") as system:
        system.now.side_effect = lambda zone: clock.now()
        yield clock


@pytest.fixture(scope="module")
def loaded(clock: FakeClock) -> Iterator[tuple[App, Any]]:
    """An app with the saved tables, and a copy of their contents."""
    with deployed_app(**SAVED["parameters"]) as opened:
        for variable, rows in SAVED["tables"].items():
            for row in rows:
                item = _encrypted(opened, row) if variable == "INTEGRATIONS_TABLE" else row
                aws.client("dynamodb").put_item(TableName=opened.name(variable), Item=item)
        for key, saved in SAVED["objects"].items():
            body, kind = base64.b64decode(saved["body"]), saved["content_type"]
            aws.client("s3").put_object(Bucket=opened.name("MEDIA_BUCKET"), Key=key, Body=body, ContentType=kind)
        yield opened, kept_tables()


@pytest.fixture
def app(loaded: tuple[App, Any]) -> App:
    """The app, reset to the saved tables."""
    return _as_saved(loaded)


@pytest.fixture(scope="module")
def after_reconciler(loaded: tuple[App, Any], clock: FakeClock) -> Any:
    """The contents of the tables after the reconciler has completed every open execution."""
    app = _as_saved(loaded)
    for key, record in SAVED["generations"]:
        app.fake.keep_generation(key, record)
    for seconds in SAVED["waits"]:
        clock.pass_seconds(seconds)
        app.invoke("ReconcileFunction", {"detail-type": "Scheduled Event"})
    clock.pass_seconds((NOW - clock.now()).total_seconds())
    return kept_tables()


@pytest.fixture
def reconciled(loaded: tuple[App, Any], after_reconciler: Any) -> App:
    """The app after its reconciler has run, with the clock at the same time as before."""
    opened, _ = loaded
    return _as_saved((opened, after_reconciler))


def _as_saved(loaded: tuple[App, Any]) -> App:
    app, tables = loaded
    set_back(tables)
    app.fake.begin_again()
    return app


def _encrypted(app: App, row: dict[str, Any]) -> dict[str, Any]:
    user_id, service = row["user_id"]["S"], row["service"]["S"]
    sealed = aws.client("kms").encrypt(
        KeyId=app.name("CREDENTIALS_KEY"),
        Plaintext=SAVED["keys"][user_id].encode(),
        EncryptionContext={"app": "instant", "stage": "test", "user_id": user_id, "service": service},
    )
    return {**row, "ciphertext": {"B": sealed["CiphertextBlob"]}}


def _comparable(value: Any) -> Any:
    """Return a value without removed fields, signatures, and the wording of errors and JSON Schemas.

    The scope read is newer than release 0.1: keys with the scope manage have it.
    """
    if isinstance(value, list):
        return [_comparable(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _comparable(each) for name, each in value.items() if name not in REMOVED | ADDED}
    if kept.keys() & {"type", "anyOf"} and kept.keys() & {"properties", "default", "title"}:
        kept.pop("description", None)
    if "last4" in kept and "scopes" in kept:
        kept = {name: each for name, each in kept.items() if name not in ADDED}
        kept["scopes"] = sorted({*kept["scopes"], *(["read"] if "manage" in kept["scopes"] else [])})
    if isinstance(inputs := kept.get("properties"), dict) and "prompt" in inputs:
        return {name: inputs[name] for name in ("prompt", "images")}  # messages are newer than release 0.1
    if isinstance(kept.get("error"), dict):
        kept["error"] = {name: each for name, each in kept["error"].items() if name not in {"message", *CLASSES}}
    if str(kept.get("url", "")).partition("?")[2]:
        kept["url"] = "/".join(kept["url"].partition("?")[0].split("/")[-3:])
    return kept


def _name(saved: dict[str, Any]) -> str:
    return f"{saved['user']} {saved['path']} {'&'.join(saved['query'])}"


def _response(app: App, saved: dict[str, Any]) -> tuple[int, Any]:
    query = {**saved["query"], "revoked": "true"} if saved["path"] == KEYS else saved["query"]
    answer = app.call("GET", saved["path"], user=saved["user"], query=query, headers={"Accept": "application/json"})
    return answer.status, _comparable(answer.json)


def _repeat(app: App, name: str) -> Answer:
    call = SAVED["calls"][name]
    headers = {"Idempotency-Key": call["idempotency_key"]}
    return app.call("POST", "/api/execute", call["body"], user=call["user"], headers=headers)


def _without_classes(answer: Answer) -> str:
    """Return the text of a response; that of an error without the fields that were added."""
    if answer.status < 400:
        return answer.text
    error = {name: each for name, each in answer.json["error"].items() if name not in CLASSES}
    return json.dumps({"error": error})


def _execute(app: App, resource: str, user: str = "alice", prompt: str = "Say hello.") -> Answer:
    return app.execute(SAVED["names"][resource], prompt, user=user)


def _spending(app: App) -> dict[str, tuple[int, int]]:
    """Return what is committed and spent in each budget row."""
    return {
        row["name"]["S"]: (int(row["committed"]["N"]), int(row.get("spent", {"N": "0"})["N"]))
        for row in app.table("LIMITS_TABLE")
        if row["name"]["S"].startswith("spend#")
    }


@pytest.mark.parametrize("saved", SAVED["answers"], ids=_name)
def test_tables_0_1_routes_return_the_same_answers(app: App, saved: dict[str, Any]) -> None:
    body = _comparable(saved["body"])
    if saved["path"] == KEYS:
        del body["total"]  # since keys are listed in pages
    assert _response(app, saved) == (saved["status"], body)


@pytest.mark.parametrize("name", ENDED)
def test_tables_0_1_stored_answer_is_replayed_byte_for_byte(app: App, name: str) -> None:
    answer = _repeat(app, name)
    assert (answer.status, _without_classes(answer)) == (SAVED["calls"][name]["status"], SAVED["calls"][name]["text"])
    assert app.fake.chat_requests == []


def test_tables_0_1_open_executions_end_the_same(reconciled: App) -> None:
    states = {row["state"]["S"] for row in reconciled.table("EXECUTIONS_TABLE")}
    assert states == {"DONE", "FAILED", "LOST"}
    for saved in SAVED["reconciled"]:
        assert _response(reconciled, saved) == (saved["status"], _comparable(saved["body"])), saved["path"]


def test_tables_0_1_reconciler_settles_every_hold(loaded: tuple[App, Any], reconciled: App) -> None:
    settled = _spending(reconciled)
    held = _spending(_as_saved(loaded))
    assert any(committed > spent for committed, spent in held.values())
    assert settled.keys() == held.keys()
    assert all(committed == spent for committed, spent in settled.values())


def test_tables_0_1_repeats_after_the_reconciler_end_the_same(reconciled: App) -> None:
    statuses = {name: _repeat(reconciled, name).status for name in SAVED["calls"]}
    assert statuses == {name: call["repeated"] for name, call in SAVED["calls"].items()}
    assert len(reconciled.fake.chat_requests) == 1  # the RESERVED execution, which was never sent


@pytest.mark.parametrize("resource", ["private", "public", "painter", "haiku"])
def test_tables_0_1_resource_is_executed(app: App, resource: str) -> None:
    answer = _execute(app, resource)
    assert answer.status == 200, answer.text
    (sent,) = app.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {SAVED['keys']['user_alice']}"


def test_tables_0_1_platform_key_pays(app: App) -> None:
    answer = _execute(app, "public", "erin")
    assert answer.status == 200, answer.text
    assert app.fake.chat_requests[0].headers["authorization"] == f"Bearer {SAVED['keys']['#platform']}"


@pytest.mark.parametrize(
    ("resource", "user", "code"),
    [
        ("bobs", "bob", "cost_cap"),
        ("carols", "carol", "credential_disabled"),
        ("daves", "dave", "credential_rejected"),
        ("ending_quiet", "alice", "model_unavailable"),
    ],
)
def test_tables_0_1_setting_still_rejects(app: App, resource: str, user: str, code: str) -> None:
    app.fake.revoked_keys.add(SAVED["keys"]["user_dave"])
    assert _execute(app, resource, user).code == code


def test_tables_0_1_cap_is_kept(app: App) -> None:
    path = "/api/user/integrations/openrouter"
    (saved,) = (each for each in SAVED["answers"] if (each["path"], each["user"]) == (path, "alice"))
    changed = app.call("PATCH", path, {"is_enabled": True}).json
    assert changed["max_cost_per_call_usd"] == saved["body"]["max_cost_per_call_usd"] == "0.5"


def test_tables_0_1_api_key_authenticates(app: App) -> None:
    arn = "arn:aws:execute-api:us-east-1:123456789012:api/test/GET/api/usage"
    headers = {"Authorization": f"Bearer {SAVED['names']['key_live_secret']}"}
    policy = app.invoke("AuthorizerFunction", {"headers": headers, "methodArn": arn})
    assert policy["context"] == {
        "user_id": "user_alice",
        "scopes": "execute",
        "key_id": SAVED["names"]["key_live"],
        "namespace": "user_alice",
    }
