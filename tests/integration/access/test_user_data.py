"""`make export-user` writes everything of a user, and `make forget-user` erases it; others keep everything."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.output_links import OUTPUTS
from instant.entrypoints.access import export_user, forget_user
from tests.fakes.builders import an_opening
from tests.integration.app import GOOD_KEY, App, deployed_app
from tests.integration.ledgers import a_ledger
from tests.integration.media import PAINTER

STACK = "local"
TABLES = (
    *("RESOURCES_TABLE", "RESOURCE_STATS_TABLE", "INTEGRATIONS_TABLE", "EXECUTIONS_TABLE"),
    *("USAGE_TABLE", "IMAGES_TABLE", "API_KEYS_TABLE", "LIMITS_TABLE"),
)
USERS = ("alice", "alice2")
"""The id of one user is the beginning of the id of the other."""


@pytest.fixture(scope="module")
def opened() -> Iterator[App]:
    with deployed_app() as app:
        yield app


@pytest.fixture
def app(opened: App) -> App:
    opened.prepare("users", lambda: fill(opened))
    for user in USERS:
        draw(opened, user)
    return opened


def fill(app: App) -> None:
    """Give each user a row of every kind, without objects."""
    app.sync()
    for user in USERS:
        assert app.connect(user).status == 201
        made = app.resource(user, visibility="public", config={"fallback_models": ["meadow/lark"]})
        gone = app.resource(user, slug="gone")
        assert app.call("DELETE", f"/api/resources/{gone['resource_id']}", user=user).status == 204
        key = app.call("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}, user=user).json
        for scope, subject in (("user", None), ("resource", made["resource_id"]), ("api_key", key["key_id"])):
            body = {"scope": scope, "id": subject, "daily_usd": "5", "monthly_usd": None}
            assert app.call("PUT", "/api/budgets", body, user=user).status == 200
        assert app.execute(made["resource_id"], user=user).status == 200


def draw(app: App, user: str) -> None:
    """Store an image and the document of an output, which the preparation of tables does not contain."""
    painter = app.resource(user, slug="painter", config={"model": PAINTER})
    drawn = app.execute(painter["resource_id"], "A boat.", user=user)
    assert drawn.status == 200
    output = f"/api/executions/{drawn.json['execution_id']}/output"
    assert app.call("GET", output, user=user).status == 302
    assert any(key.startswith(OUTPUTS) for key in stored(app)["objects"])


def stored(app: App) -> dict[str, list[str]]:
    """Return every row as text, by table, and the keys of all objects."""
    rows = {
        table: sorted(json.dumps(row, default=repr, sort_keys=True) for row in app.table(table)) for table in TABLES
    }
    listed = aws.client("s3").list_objects_v2(Bucket=app.name("MEDIA_BUCKET"))
    return {**rows, "objects": sorted(each["Key"] for each in listed.get("Contents", ()))}


def ids_of(app: App, user: str) -> set[str]:
    """Return the ids of the user and of everything that belongs to the user."""
    ids = {f"user_{user}"}
    for table, owner, name in (
        ("RESOURCES_TABLE", "owner_id", "resource_id"),
        ("EXECUTIONS_TABLE", "user_id", "execution_id"),
        ("API_KEYS_TABLE", "user_id", "key_id"),
        ("API_KEYS_TABLE", "user_id", "key_hash"),
        ("IMAGES_TABLE", "user_id", "image_id"),
    ):
        ids |= {row[name]["S"] for row in app.table(table) if row.get(owner) == {"S": f"user_{user}"}}
    return ids


def with_any(stores: dict[str, list[str]], ids: set[str]) -> dict[str, list[str]]:
    """Return what contains one of the ids, as a whole."""
    ends = '"#/'
    return {
        name: [each for each in rows if any(f"{one}{end}" in f"{each}/" for one in ids for end in ends)]
        for name, rows in stores.items()
    }


def forget(user: str, *arguments: str) -> int:
    return forget_user.main([STACK, f"--user=user_{user}", *arguments])


def test_forget_user_erases_everything_of_one_user(app: App) -> None:
    ids, others = ids_of(app, "alice"), ids_of(app, "alice2")
    before = stored(app)
    assert all(with_any(before, ids).values()), "the user needs a row of every kind"
    assert forget("alice", "--sure") == 0
    after = stored(app)
    assert with_any(after, ids) == {name: [] for name in after}
    assert with_any(after, others) == with_any(before, others)
    assert sum("addr#" in row for row in after["RESOURCES_TABLE"]) == 2


def test_forget_user_without_confirmation_erases_nothing(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    before = stored(app)
    assert forget("alice") == 0
    assert stored(app) == before
    assert "Nothing was erased" in capsys.readouterr().out


@pytest.mark.parametrize(("caller", "owner"), [("alice", "alice2"), ("alice2", "alice")])
def test_forget_user_waits_for_open_executions(
    app: App, caller: str, owner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of others of the user's resources, too: they settle budgets and count in statistics."""
    resource_of = {
        row["owner_id"]["S"]: row["resource_id"]["S"] for row in app.table("RESOURCES_TABLE") if "listing" in row
    }
    opening = an_opening("exe_open", user_id=f"user_{caller}", resource_id=resource_of[f"user_{owner}"])
    ledger = a_ledger(app)
    ledger.open(opening)
    executions = app.table("EXECUTIONS_TABLE")
    assert forget("alice", "--sure") == 1
    assert "1 executions are open" in capsys.readouterr().err
    assert app.table("EXECUTIONS_TABLE") == executions
    assert app.execute(resource_of["user_alice"], user="alice2").status == 404
    assert app.call("GET", "/api/user/integrations/openrouter", user="alice").status == 404
    ledger.release(opening)
    assert forget("alice", "--sure") == 0
    assert 'user_alice"' not in json.dumps(stored(app)).replace("\\", "")


def test_export_user_writes_everything_without_secrets(app: App, tmp_path: Path) -> None:
    path = tmp_path / "alice.zip"
    assert export_user.main([STACK, "--user=user_alice", f"--to={path}"]) == 0
    with zipfile.ZipFile(path) as file:
        tables: dict[str, Any] = {name: json.loads(file.read(name)) for name in file.namelist() if "/" not in name}
        media = [name for name in file.namelist() if name.startswith("media/")]
        assert file.read(media[0])
    assert all(tables.values())
    assert {row["user_id"] for row in tables["Executions.json"]} == {"user_alice"}
    assert {"model", "max_tokens", "fallback_models"} <= next(
        row["config"].keys() for row in tables["Resources.json"] if row.get("listing")
    )
    text = json.dumps(tables)
    assert "user_alice2" not in text
    assert GOOD_KEY not in text
    assert "ciphertext" not in text
    hashes = [row["key_hash"]["S"] for row in app.table("API_KEYS_TABLE") if "user_id" in row]
    assert not any(each in text for each in hashes)


@pytest.mark.parametrize("command", [forget_user.main, export_user.main], ids=["forget", "export"])
def test_user_commands_reject_a_missing_stack(app: App, command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["nowhere", "--user=user_alice", *(["--to=x"] if command is export_user.main else [])]) == 1
    assert capsys.readouterr().err.startswith("There is no stack nowhere")
