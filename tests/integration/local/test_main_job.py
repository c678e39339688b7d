"""The main job over HTTP on the source tree, with each function in its own process."""

import json
from collections.abc import Iterator

import pytest

from tests.architecture.stack.failures import counts
from tests.canary.needles import found
from tests.e2e.journey import Journey, run_journey
from tests.e2e.world import OPENROUTER_KEYS, World, open_world
from tests.local.stack import SOURCE


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(SOURCE, tmp_path_factory.mktemp("world") / "log") as opened:
        yield opened


@pytest.fixture(scope="module")
def journey(world: World) -> Journey:
    return run_journey(world)


def test_execution_is_paid_with_the_key_of_its_caller(world: World, journey: Journey) -> None:
    runs = (journey.by_id, journey.by_address, journey.by_bob, journey.long)
    assert [run["success"] for run in runs] == [True] * 4
    paid = [request.headers["authorization"] for request in world.fake.chat_requests]
    users = ("alice", "alice", "bob", "alice")
    assert paid == [f"Bearer {OPENROUTER_KEYS[user]}" for user in users]
    rows = {row["execution_id"]["S"]: row["payer_id"]["S"] for row in world.rows("EXECUTIONS_TABLE")}
    assert [rows[run["execution_id"]] for run in runs] == [f"user_{user}" for user in users]


def test_execution_is_counted_and_its_output_kept(world: World, journey: Journey) -> None:
    assert journey.detail["stats"]["call_count"] == 3
    shown = world.done(200, "alice", "GET", f"/api/executions/{journey.long['execution_id']}")
    assert shown["output"] == journey.long["output"]


def test_failed_sync_is_counted_and_its_event_kept(world: World, journey: Journey) -> None:
    assert world.call(None, "GET", "/api/resources", Authorization="Bearer nonsense").status == 401
    world.fake.serve_catalog(b"<html>")
    world.stack.fire("CatalogSyncFunction")
    world.stack.settle()
    lines = [json.loads(line) for line in world.log.read_text().splitlines()]
    assert "Unauthorized" in {line.get("errorMessage") for line in lines}
    assert len(_failures(world)) == 3
    (queue,) = world.queues()
    (message,) = world.messages(queue)
    assert json.loads(message["Body"])["requestPayload"]["detail-type"] == "Scheduled Event"


def test_failed_change_event_is_counted_and_kept(world: World, journey: Journey) -> None:
    before = _failures(world)
    event = {"detail-type": "openrouter/models.changed", "detail": {"since": "0"}}
    world.stack.invoke("ModelImpactFunction", event, asynchronous=True)
    world.stack.settle()
    assert len(_failures(world) - before) == 3
    (queue,) = world.queues()
    kept = [json.loads(message["Body"])["requestPayload"] for message in world.messages(queue)]
    assert event in kept


def test_sync_of_the_journey_is_counted_in_the_log(world: World, journey: Journey) -> None:
    lines = [json.loads(line) for line in world.log.read_text().splitlines()]
    assert [line["logger"] for line in lines if counts(line, "SyncCount")].count("instant.use_cases.catalog.sync") >= 1


def _failures(world: World) -> set[str]:
    """Return the request ids of the failures that the alarm counts."""
    lines = [json.loads(line) for line in world.log.read_text().splitlines()]
    return {line["requestId"] for line in lines if counts(line)}


def test_main_job_does_not_leave_keys_in_storage_or_logs(world: World, journey: Journey) -> None:
    places = {"the log": world.log.read_bytes(), **world.stored()}
    for secret in (*world.keys.values(), *OPENROUTER_KEYS.values()):
        assert [place for place, content in places.items() if found(secret, content)] == []
