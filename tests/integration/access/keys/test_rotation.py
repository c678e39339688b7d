"""Idempotency keys belong to the user or to one API key, and to the key that replaces it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.integration.app import Answer, App
from tests.integration.front import Front

PATH = "/api/user/api-keys"


def _key(app: App, *scopes: str, **more: str) -> Mapping[str, str]:
    """Create a key with an access token."""
    body = {"name": "k", "scopes": [*scopes], **more}
    answer = app.call("POST", PATH, body)
    assert answer.status == 201, answer.text
    return dict(answer.json)


def _execute(app: App, resource_id: str, token: str, name: str = "order-1") -> Answer:
    body = {"resource_id": resource_id, "inputs": {"prompt": "Say hello."}}
    return Front(app).ask("POST", "/api/execute", body, token=token, headers={"Idempotency-Key": name})


@pytest.fixture
def resource_id(seeded: App) -> str:
    return str(seeded.resource()["resource_id"])


def test_retry_after_rotation_reaches_the_model_once(seeded: App, resource_id: str) -> None:
    old = _key(seeded, "execute")
    first = _execute(seeded, resource_id, old["api_key"])
    new = _key(seeded, "execute", replaces=old["key_id"])
    assert new["replaces"] == old["key_id"]
    newest = _key(seeded, "execute", replaces=new["key_id"])
    for key in (new, newest):
        retried = _execute(seeded, resource_id, key["api_key"])
        assert (retried.status, retried.text) == (200, first.text)
    assert len(seeded.fake.chat_requests) == 1


def test_new_execute_keys_do_not_share_idempotency_keys(seeded: App, resource_id: str) -> None:
    answers = [_execute(seeded, resource_id, _key(seeded, "execute")["api_key"]) for _ in range(2)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["execution_id"] for answer in answers}) == 2
    assert len(seeded.fake.chat_requests) == 2


def test_keys_with_the_read_scope_share_idempotency_keys(seeded: App, resource_id: str) -> None:
    scopes = (["execute", "read"], ["execute", "manage"])
    answers = [_execute(seeded, resource_id, _key(seeded, *each)["api_key"]) for each in scopes]
    assert answers[0].text == answers[1].text
    assert len(seeded.fake.chat_requests) == 1


def test_stored_execute_key_keeps_the_idempotency_keys_of_its_user(seeded: App, resource_id: str) -> None:
    """A key from before namespaces were stored, and one with an access token's namespace, send the same request."""
    secret, key = mint(user_id="user_alice", name="old", scopes=frozenset({Scope.EXECUTE}), now=datetime.now(UTC))
    rows = DynamoApiKeyStore(seeded.name("API_KEYS_TABLE"))
    rows.put(key)
    _forget_namespace(seeded, key.key_hash)
    headers = {"Idempotency-Key": "order-1"}
    body = {"resource_id": resource_id, "inputs": {"prompt": "Say hello."}}
    before = seeded.call("POST", "/api/execute", body, headers=headers)
    after = _execute(seeded, resource_id, secret.reveal())
    assert (after.status, after.text) == (200, before.text)
    assert len(seeded.fake.chat_requests) == 1


def _forget_namespace(app: App, key_hash: str) -> None:
    from instant.adapters.aws import client as aws

    aws.client("dynamodb").update_item(
        TableName=app.name("API_KEYS_TABLE"),
        Key={"key_hash": {"S": key_hash}},
        UpdateExpression="REMOVE idempotency_namespace",
    )


def test_replacing_a_foreign_key_returns_the_same_as_a_missing_one(seeded: App) -> None:
    foreign = seeded.call("POST", PATH, {"name": "k", "scopes": ["execute"]}, user="bob").json["key_id"]
    answers = [
        seeded.call("POST", PATH, {"name": "k", "scopes": ["execute"], "replaces": key_id})
        for key_id in (foreign, "key_00000000000000000000000000")
    ]
    assert (answers[0].status, answers[0].json["error"]["details"]["field"]) == (422, "replaces")
    assert answers[0] == answers[1]
