"""The main job over HTTP, on what was built: from an empty catalog to paid answers, and who may see what."""

import json
from decimal import Decimal

import pytest

from tests.e2e.journey import LONG, Journey
from tests.e2e.world import OPENROUTER_KEYS, World
from tests.integration.app import GOOD_KEY
from tests.integration.local.test_example_events import STORY, event_of, learn

pytestmark = pytest.mark.e2e


def test_the_catalog_is_what_openrouter_lists(world: World, journey: Journey) -> None:
    first = world.done(200, None, "GET", "/api/models?limit=1&active=true")
    assert first["total"] == len(world.fake.catalog)
    assert first["data"][0]["last_synced_at"]


def test_a_schedule_finds_nothing_new_takes_and_leaves_its_lease_and_asks_for_the_endpoints(
    world: World, journey: Journey
) -> None:
    world.stack.calls.clear()
    world.stack.fire("CatalogSyncFunction")
    world.stack.settle()
    made = [operation for _, operation in world.stack.calls.of("CatalogSyncFunction")]
    assert made == ["UpdateItem", "UpdateItem", "Scan", "PutItem"], "lease and record, models in use, one's endpoints"


def test_a_key_is_connected_and_never_shown(world: World, journey: Journey) -> None:
    key = OPENROUTER_KEYS["alice"]
    assert (journey.connected["hint"], journey.connected["status"]) == (key[-4:], "ok")
    assert (journey.tested["hint"], journey.tested["status"]) == (key[-4:], "ok")
    assert key not in json.dumps([journey.connected, journey.tested])


def test_a_resource_runs_by_id_and_by_address(journey: Journey) -> None:
    for answer in (journey.by_id, journey.by_address):
        assert answer["success"] is True
        assert answer["output"]["type"] == "text"
        assert answer["model"].startswith(journey.resource["ai_model_id"])
        assert Decimal(answer["usage"]["cost_usd"]) > 0


def test_anybody_runs_a_public_resource_with_a_key_of_their_own(world: World, journey: Journey) -> None:
    assert journey.by_bob["success"] is True
    rows = {row["execution_id"]["S"]: row for row in world.rows("EXECUTIONS_TABLE")}
    row = rows[journey.by_bob["execution_id"]]
    assert (row["payer_id"]["S"], row["key_source"]["S"], row["state"]["S"]) == ("user_bob", "caller", "DONE")


def test_a_resource_tells_how_often_it_was_called(journey: Journey) -> None:
    stats = journey.detail["stats"]
    assert (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"]) == (3, 3, 0)
    runs = (journey.by_id, journey.by_address, journey.by_bob)
    assert Decimal(journey.own_detail["stats"]["cost_usd_30d"]) == sum(
        Decimal(run["usage"]["cost_usd"]) for run in runs
    )
    assert "config" not in journey.detail, "settings are for the owner"
    assert "cost_usd_30d" not in stats, "and so is what its calls cost"


def test_executions_list_what_the_caller_ran_and_show_the_answer(world: World, journey: Journey) -> None:
    listed = world.done(200, "alice", "GET", "/api/executions")["data"]
    own = [journey.long["execution_id"], journey.by_address["execution_id"], journey.by_id["execution_id"]]
    assert [run["execution_id"] for run in listed if run["execution_id"] in own] == own
    assert journey.by_bob["execution_id"] not in {run["execution_id"] for run in listed}
    shown = world.done(200, "alice", "GET", f"/api/executions/{own[-1]}")
    assert (shown["status"], shown["output"]) == ("DONE", journey.by_id["output"])


def test_a_long_answer_is_kept_in_the_bucket_and_comes_back_whole(world: World, journey: Journey) -> None:
    assert journey.long["output"]["content"] == LONG
    shown = world.done(200, "alice", "GET", f"/api/executions/{journey.long['execution_id']}")
    assert shown["output"] == journey.long["output"]
    place = f"media/{journey.long['execution_id']}/"
    assert any(name.startswith(place) for name in world.stored())


def test_every_example_event_runs(world: World, journey: Journey) -> None:
    known = {"user_alice": "user_eve", "x4k_live_hidden": world.keys["alice"], GOOD_KEY: OPENROUTER_KEYS["eve"]}
    for case, status in STORY.items():
        event = event_of(case, known)
        outcome = world.stack.invoke(_function(world, case), event)
        world.stack.settle()
        assert not outcome.failed, (case, outcome.payload)
        if status is not None:
            assert outcome.content["statusCode"] == status, (case, outcome.payload)
            learn(outcome.content.get("body") or "", known)


def _function(world: World, case: str) -> str:
    handler = f"functions.{case.split('/')[0]}.app.handler"
    return next(name for name, plan in world.stack.plan.functions.items() if plan.handler == handler)
