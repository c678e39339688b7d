"""A sync killed at any AWS call leaves a readable catalog, and the next sync completes it."""

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws_faults import failure, faults
from tests.fakes.aws_stores import kept_tables, set_back
from tests.fakes.clock import FakeClock
from tests.fakes.deaths import Killed, killed_at
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded
from tests.integration.event_queues import OwnerNotifications, owner_notifications
from tests.integration.http.test_openapi import DOCUMENT, conforms
from tests.integration.synced_app import created

type Row = dict[str, Any]
type Tables = tuple[list[Row], list[Row]]
TIMES = ("missing_since", "price_held_since")


def before(app: App) -> list[Row]:
    """Sync a catalog that resources use, with one missing model and one held price; return its rows."""
    rows: list[Row] = copy.deepcopy(app.fake.catalog)
    app.fake.catalog = rows
    app.sync()
    created(app, "alice", {"model": "~meadow/lark-latest", "fallback_models": ["stealth/bare"]})
    created(app, "bob", {"model": "stealth/bare"})
    app.fake.catalog = [row for row in rows if row["id"] != "meadow/tools-only"]
    _row(app.fake.catalog, "harbor/nightshift")["pricing"]["prompt"] = "0"
    app.sync()
    return rows


def after(rows: list[Row]) -> list[Row]:
    """Return the next catalog: every kind of change, and more new models than one request can write."""
    rows = copy.deepcopy(rows)
    gone = ("stealth/bare", "northwind/farewell-today")
    rows = [row for row in rows if row["id"] not in gone]
    for row in rows[:30]:
        row["name"] += " II"
    _row(rows, "meadow/lark")["pricing"]["prompt"] = "0"
    _row(rows, "meadow/lark")["context_length"] = 1_000
    _row(rows, "harbor/nightshift")["pricing"]["prompt"] = "0.0000004"
    _row(rows, "~meadow/lark-latest")["alias_target"]["slug"] = "meadow/lark-mini"
    return [*rows, *({**rows[0], "id": f"new/model-{number}"} for number in range(30))]


def _row(rows: list[Row], openrouter_id: str) -> Row:
    return next(row for row in rows if row["id"] == openrouter_id)


def tables(app: App) -> Tables:
    """Return the models and their changes without the times of syncs."""
    models = [_timeless(_plain(row)) for row in app.table("MODELS_TABLE")]
    changes = [_plain(row) for row in app.table("MODEL_CHANGES_TABLE") if "kind" in row]
    timeless = [
        {**row, "place": row["kind"], "old": _timeless(row["old"]), "new": _timeless(row["new"])} for row in changes
    ]
    return _ordered(models), _ordered(timeless)


def _plain(item: dict[str, Any]) -> Row:
    found: Row = {name: next(iter(value.values())) for name, value in item.items()}
    found |= {name: json.loads(found[name]) for name in ("old", "new", "changed") if name in found}
    return {name: sorted(value) if isinstance(value, list | set) else value for name, value in found.items()}


def _timeless(facts: Row) -> Row:
    hidden: Row = {name: "some time" for name in (*TIMES, "price_doubts", "changed_at") if facts.get(name)}
    nested = {kind: _timeless(old) for kind, old in facts["changed"].items()} if "changed" in facts else None
    return {**facts, **hidden, **({"changed": nested} if nested is not None else {})}


def _ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def notifications(owners: OwnerNotifications) -> set[tuple[str, str, str]]:
    """Return the resource, model and change of each notification."""
    return {(one["resource_id"], one["model"], one["change"]) for one in owners.notifications()}


def models_with_endpoints(app: App) -> set[str]:
    """Return the models whose endpoints are stored."""
    return {row["openrouter_id"]["S"] for row in app.table("MODEL_ENDPOINTS_TABLE")}


def assert_readable(app: App) -> None:
    """Assert that every listed model and change matches the documented schema."""
    for path in ("/api/models", "/api/models/changes"):
        answer = app.call("GET", path, query={"limit": "200"}, user=None)
        assert answer.status == 200, answer.text
        conforms(
            DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"], answer.json
        )


def stay_within_the_month(clock: FakeClock) -> None:
    """Set the clock back if the month ends soon: the first sync of a month makes one more call, for its snapshot."""
    if (clock.now() + timedelta(days=2)).month != clock.now().month:
        clock.pass_seconds(-2 * 86_400)


@pytest.mark.parametrize("is_first", [True, False], ids=["the first sync", "a later sync"])
@pytest.mark.parametrize("late", [False, True], ids=["before the call", "after the call"])
def test_sync_killed_at_any_call_recovers_on_the_next(app: App, later: FakeClock, is_first: bool, late: bool) -> None:
    stay_within_the_month(later)
    rows = list(app.fake.catalog) if is_first else before(app)
    app.fake.catalog, kept = after(rows), kept_tables()
    later.pass_seconds(3_600)
    with owner_notifications(app) as owners:
        with recorded("dynamodb", "events") as calls:
            app.sync()
        notified = notifications(owners)
    expected, in_use = tables(app), models_with_endpoints(app)
    made = operations(calls)
    assert made.count("BatchWriteItem") >= 6
    assert (len(notified), len(in_use), made.count("PutItem")) == ((0, 0, 0) if is_first else (3, 2, 1))
    end = [number for number, operation in enumerate(made, 1) if operation == "UpdateItem"][-3]  # two record the run
    with owner_notifications(app) as owners:
        for call in range(1, len(made) + 1):
            set_back(kept)
            with killed_at(call, after=late, aws_only=True), pytest.raises(Killed):
                app.sync()
            assert_readable(app)
            if call > 1 or late:
                has_ended = call > end or (late and call == end)
                assert (app.sync()["outcome"] == "queued") is not has_ended
            later.pass_seconds(3_600)
            assert app.sync()["outcome"] in {"synced", "unchanged"}
            assert tables(app) == expected, f"killed at call {call}: {made[call - 1]}"
            assert models_with_endpoints(app) == in_use, f"killed at call {call}: {made[call - 1]}"
            assert notifications(owners) == notified, f"killed at call {call}: {made[call - 1]}"


@pytest.mark.parametrize("is_first", [True, False], ids=["the first sync", "a later sync"])
def test_sync_failing_at_any_write_recovers_on_immediate_retry(app: App, later: FakeClock, is_first: bool) -> None:
    rows = list(app.fake.catalog) if is_first else before(app)
    app.fake.catalog, kept = after(rows), kept_tables()
    with recorded("dynamodb") as calls:
        app.sync()
    expected = tables(app)
    writes = sum(call.operation == "BatchWriteItem" for call in calls)
    for number in range(writes):
        set_back(kept)
        later.pass_seconds(1)
        with faults("BatchWriteItem", *[None] * number, failure("AccessDeniedException")), pytest.raises(Exception):  # noqa: B017, PT011
            app.sync()
        later.pass_seconds(1)
        assert app.sync()["outcome"] == "synced"
        assert tables(app) == expected
