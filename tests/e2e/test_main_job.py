"""The user journey over HTTP on the built artifacts, from an empty catalog to paid executions."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from instant.adapters.executions.ledger_rows import opening_row
from instant.domain.clock import format_time
from tests.e2e.journey import LONG, Journey
from tests.e2e.world import OPENROUTER_KEYS, World
from tests.fakes.builders import an_opening
from tests.integration.app import GOOD_KEY, answer_of
from tests.integration.local.test_example_events import STORY, event_of, learn

pytestmark = pytest.mark.e2e


def test_catalog_matches_the_openrouter_list(world: World, journey: Journey) -> None:
    first = world.done(200, None, "GET", "/api/models?limit=1&active=true")
    assert first["total"] == len(world.fake.catalog)
    assert first["data"][0]["last_synced_at"]


def test_scheduled_sync_without_changes_releases_lease_and_reads_endpoints(world: World, journey: Journey) -> None:
    world.stack.calls.clear()
    world.stack.fire("CatalogSyncFunction")
    world.stack.settle()
    made = [operation for _, operation in world.stack.calls.of("CatalogSyncFunction")]
    assert made == [*["UpdateItem"] * 4, "Scan", "PutItem"], (
        "lease, sync record, entry of this run twice, models in use, endpoints of one model"
    )


def test_connected_key_is_not_returned(world: World, journey: Journey) -> None:
    key = OPENROUTER_KEYS["alice"]
    assert (journey.connected["hint"], journey.connected["status"]) == (key[-4:], "ok")
    assert (journey.tested["hint"], journey.tested["status"]) == (key[-4:], "ok")
    assert key not in json.dumps([journey.connected, journey.tested])


def test_execute_accepts_resource_id_and_address(journey: Journey) -> None:
    for answer in (journey.by_id, journey.by_address):
        assert answer["success"] is True
        assert answer["output"]["type"] == "text"
        assert answer["model"].startswith(journey.resource["ai_model_id"])
        assert Decimal(answer["usage"]["cost_usd"]) > 0


def test_public_resource_runs_with_the_key_of_its_caller(world: World, journey: Journey) -> None:
    assert journey.by_bob["success"] is True
    rows = {row["execution_id"]["S"]: row for row in world.rows("EXECUTIONS_TABLE")}
    row = rows[journey.by_bob["execution_id"]]
    assert (row["payer_id"]["S"], row["key_source"]["S"], row["state"]["S"]) == ("user_bob", "caller", "DONE")


def test_resource_returns_its_call_count(journey: Journey) -> None:
    stats = journey.detail["stats"]
    assert (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"]) == (3, 1, 0), (
        "the owner's own calls count for the owner only"
    )
    runs = (journey.by_id, journey.by_address, journey.by_bob)
    assert Decimal(journey.own_detail["stats"]["cost_usd_30d"]) == sum(
        Decimal(run["usage"]["cost_usd"]) for run in runs
    )
    assert "config" not in journey.detail, "only the owner can read the settings"
    assert "cost_usd_30d" not in stats, "only the owner can read the cost"


def test_executions_list_own_runs_and_return_their_output(world: World, journey: Journey) -> None:
    listed = world.done(200, "alice", "GET", "/api/executions")["data"]
    own = [journey.long["execution_id"], journey.by_address["execution_id"], journey.by_id["execution_id"]]
    assert [run["execution_id"] for run in listed if run["execution_id"] in own] == own
    assert journey.by_bob["execution_id"] not in {run["execution_id"] for run in listed}
    shown = world.done(200, "alice", "GET", f"/api/executions/{own[-1]}")
    assert (shown["status"], shown["output"]) == ("DONE", journey.by_id["output"])


def test_long_output_is_stored_in_the_bucket_and_returned_whole(world: World, journey: Journey) -> None:
    assert journey.long["output"]["content"] == LONG
    shown = world.done(200, "alice", "GET", f"/api/executions/{journey.long['execution_id']}")
    assert shown["output"] == journey.long["output"]
    place = f"media/{journey.long['execution_id']}/"
    assert any(name.startswith(place) for name in world.stored())


def test_example_events_run_without_error(world: World, journey: Journey) -> None:
    known = {"user_alice": "user_eve", "x4k_live_hidden": world.keys["alice"], GOOD_KEY: OPENROUTER_KEYS["eve"]}
    for case, status in STORY.items():
        event = event_of(case, known)
        if case == "executions/cancel":
            _store_stream(world, event["pathParameters"]["execution_id"])
        outcome = world.stack.invoke(_function(world, case), event)
        world.stack.settle()
        assert not outcome.failed, (case, outcome.payload)
        if status is not None:
            is_stream = bytes(8) in outcome.payload
            answer = answer_of(outcome.payload if is_stream else outcome.content)
            assert answer.status == status, (case, outcome.payload)
            learn(answer.text, known)


def _store_stream(world: World, execution_id: str) -> None:
    """Store a running execution of eve that can be cancelled."""
    opening = an_opening(execution_id, user_id="user_eve", streamed=True, created_at=format_time(datetime.now(UTC)))
    row = opening_row(opening, 90)
    world.stack.client("dynamodb").put_item(TableName=world.name("EXECUTIONS_TABLE"), Item=row)


def _function(world: World, case: str) -> str:
    handler = f"functions.{case.split('/')[0]}.app.handler"
    return next(name for name, plan in world.stack.plan.functions.items() if plan.handler == handler)
