"""After the user journey no key is stored or logged, no permission is unused, and no process is left running."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from tests.canary.needles import found
from tests.e2e.journey import Journey, call_remaining_routes
from tests.e2e.processes import PROC, alive, descendants
from tests.e2e.world import OPENROUTER_KEYS, World, open_world
from tests.local.aws.permissions import as_list, matches
from tests.local.functions.layout import Built

pytestmark = pytest.mark.e2e

EXECUTE = "ExecuteFunction"
ONLY_AFTER_FAILURES = {("dynamodb:DeleteItem", "EXECUTIONS_TABLE"): "deletes an execution that was not sent"}
"""Permissions to execute that are needed only after a failure of AWS, which this stack does not simulate."""


@pytest.fixture(scope="session")
def used_world(world: World, journey: Journey) -> World:
    """The stack after the user journey and the calls of all other routes."""
    call_remaining_routes(world, journey)
    return world


def test_openrouter_requests_carry_the_key_of_the_payer(used_world: World) -> None:
    owners = {sha256(f"user_{name}".encode()).hexdigest(): key for name, key in OPENROUTER_KEYS.items()}
    chats = used_world.fake.chat_requests
    assert {owners[chat.json["user"]] for chat in chats} >= {OPENROUTER_KEYS["alice"], OPENROUTER_KEYS["bob"]}
    assert [chat for chat in chats if chat.headers["authorization"] != f"Bearer {owners[chat.json['user']]}"] == []
    listings = [request for request in used_world.fake.requests if request.path == "/api/v1/models"]
    assert listings
    assert not any("authorization" in request.headers for request in listings)


def test_logs_tables_and_buckets_do_not_contain_keys(used_world: World) -> None:
    places = {"the log": used_world.log.read_bytes(), **used_world.stored()}
    assert len(places) > len(used_world.stack.client("dynamodb").list_tables()["TableNames"])
    assert b"user_alice" in b"".join(places.values()), "the search must find known content"
    for secret in (*used_world.keys.values(), *OPENROUTER_KEYS.values(), *used_world.fake.made_keys):
        assert [place for place, content in places.items() if found(secret, content)] == []


def test_log_is_json_and_has_only_rejected_token_errors(used_world: World) -> None:
    lines = [json.loads(line) for line in used_world.log.read_text().splitlines()]
    errors = [line for line in lines if line["level"] in ("ERROR", "CRITICAL")]
    assert {line.get("errorMessage", line.get("message")) for line in errors} <= {"Unauthorized"}


def test_permissions_match_what_was_used(used_world: World) -> None:
    used, executing = used_world.stack.permissions.used, _executing(used_world)
    tables = {action: _table(used_world, variable) for action, variable in ONLY_AFTER_FAILURES}
    reserve = {(name, action, table) for name in executing for action, table in tables.items()}
    plans = used_world.stack.plan.functions.values()
    reserve |= {(plan.name, "sqs:SendMessage", plan.dead_letters) for plan in plans if plan.dead_letters}
    allowed = {
        (name, action, resource)
        for name, plan in used_world.stack.plan.functions.items()
        for statement in plan.statements
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert {entry for entry in used if not any(_covers(rule, entry) for rule in allowed)} == set()
    used |= {(name, action, resource) for name in executing for user, action, resource in used if user == EXECUTE}
    assert {rule for rule in allowed if not any(_covers(rule, entry) for entry in used)} == reserve


@pytest.mark.skipif(not PROC.exists(), reason="looks for processes in /proc")
def test_stopped_stack_does_not_leave_processes(built: Built, tmp_path: Path) -> None:
    before = set(descendants(os.getpid()))
    with open_world(built, tmp_path / "log") as opened:
        opened.done(200, "alice", "GET", "/api/resources")
        started = set(descendants(os.getpid())) - before
        assert len(started) >= 3, "the simulated AWS, the authorizer and the function"
    assert [pid for pid in started if alive(pid)] == []


def _executing(world: World) -> list[str]:
    """The functions with all permissions of execute: they run the same code below their routes, so it is used once."""
    plans = world.stack.plan.functions
    needed = plans[EXECUTE].statements
    return [name for name, plan in plans.items() if all(statement in plan.statements for statement in needed)]


def _covers(rule: tuple[str, str, str], entry: tuple[str, str, str]) -> bool:
    return rule[:2] == entry[:2] and matches(rule[2], entry[2])


def _table(world: World, variable: str) -> str:
    described = world.stack.client("dynamodb").describe_table(TableName=world.name(variable))
    return str(described["Table"]["TableArn"])
