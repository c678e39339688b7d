"""The ranking orders public resources by use and success and does not change other resources."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.domain.resources.resource import Visibility
from tests.integration.app import App
from tests.integration.aws_calls import recorded
from tests.integration.resources.test_public_listing import all_pages, page, put, store_of

SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
RANKS = ("calls_30d", "successes_30d", "calls_rank", "success_rank")


def count_executions(app: App, resource_id: str, successes: int, failures: int = 0, day: str | None = None) -> None:
    """Count executions in the same rows as the ledger's closing transaction."""
    for bucket in (f"day#{day or datetime.now(UTC).date()}#3", "total#3"):
        counts = {"calls": successes + failures, "successes": successes, "failures": failures}
        aws.client("dynamodb").update_item(
            TableName=app.name("RESOURCE_STATS_TABLE"),
            Key={"resource_id": {"S": resource_id}, "bucket": {"S": bucket}},
            UpdateExpression="ADD calls :calls, successes :successes, failures :failures SET last_called_at = :at",
            ExpressionAttributeValues={
                **{f":{name}": {"N": str(count)} for name, count in counts.items()},
                ":at": {"S": "2026-01-01T00:00:00.000000Z"},
            },
        )


def rank(app: App) -> dict[str, int]:
    """Run the scheduled ranking."""
    result: dict[str, int] = app.invoke("RankResourcesFunction", SCHEDULE)
    return result


def row(app: App, resource_id: str) -> dict[str, Any]:
    """Return the stored row of the resource."""
    return next(item for item in app.table("RESOURCES_TABLE") if item["resource_id"]["S"] == resource_id)


def before(operation: str, act: Callable[[], None]) -> None:
    """Call `act` once, immediately before the next call of this operation."""
    events = aws.client("dynamodb").meta.events

    def once(**_: Any) -> None:
        events.unregister(f"before-call.dynamodb.{operation}", once)
        act()

    events.register(f"before-call.dynamodb.{operation}", once)


def test_ranking_orders_lists_by_use_and_success(app: App) -> None:
    lucky, busy, broken, unused = (put(app, number).resource_id for number in range(4))
    count_executions(app, lucky, 2)
    count_executions(app, busy, 95, 5)
    count_executions(app, broken, 1, 400)
    assert rank(app) == {"seen": 4, "written": 3, "skipped": 0}
    assert all_pages(app, sort="most_used", limit="1") == [broken, busy, lucky, unused]
    assert all_pages(app, sort="success_rate", limit="1") == [busy, lucky, broken, unused]
    assert all_pages(app, limit="1") == [unused, broken, busy, lucky]
    recent = {row["resource_id"]: row["recent_use"] for row in page(app, sort="most_used").json["data"]}
    assert recent[busy] == {"calls": 100, "successes": 95}
    assert recent[unused] == {"calls": 0, "successes": 0}


def test_ranking_ignores_calls_older_than_thirty_days(app: App) -> None:
    old, new = (put(app, number).resource_id for number in range(2))
    count_executions(app, old, 50, day="2020-01-01")
    count_executions(app, new, 1)
    assert rank(app)["written"] == 1
    assert all_pages(app, sort="most_used") == [new, old]


def test_ranking_writes_only_changed_rows(app: App) -> None:
    resources = [put(app, number).resource_id for number in range(5)]
    count_executions(app, resources[2], 3)
    assert rank(app) == {"seen": 5, "written": 1, "skipped": 0}
    with recorded("dynamodb") as calls:
        assert rank(app) == {"seen": 5, "written": 0, "skipped": 0}
    assert {call.operation for call in calls} == {"Query"}


def test_ranking_changes_only_the_rank_attributes(app: App) -> None:
    resource_id = put(app, 1).resource_id
    count_executions(app, resource_id, 3)
    old = row(app, resource_id)
    rank(app)
    new = row(app, resource_id)
    assert {name for name in new if new[name] != old.get(name)} == set(RANKS)
    assert new["revision"] == old["revision"]


@pytest.mark.parametrize("change", ["delete", "unlist", "vanish"])
def test_ranking_does_not_restore_removed_or_hidden_resources(app: App, change: str) -> None:
    resource = put(app, 1)
    count_executions(app, resource.resource_id, 3)
    store = store_of(app)
    key = {"resource_id": {"S": resource.resource_id}}
    acts: dict[str, Callable[[], None]] = {
        "delete": lambda: store.delete(resource, "2026-02-01T00:00:00.000000Z"),
        "unlist": lambda: store.replace(resource, replace(resource, visibility=Visibility.UNLISTED, revision=2)),
        "vanish": lambda: aws.client("dynamodb").delete_item(TableName=app.name("RESOURCES_TABLE"), Key=key),
    }
    before("UpdateItem", acts[change])
    assert rank(app) == {"seen": 1, "written": 0, "skipped": 1}
    rows = {item["resource_id"]["S"]: item for item in app.table("RESOURCES_TABLE")}
    assert ("listing" in rows.get(resource.resource_id, {})) is False
    assert (resource.resource_id in rows) == (change != "vanish")
    assert page(app, sort="most_used").json["data"] == []
    assert rank(app)["seen"] == 0


def test_ranking_retries_a_locked_row_in_the_next_run(app: App) -> None:
    resources = [put(app, number).resource_id for number in range(2)]
    for resource_id in resources:
        count_executions(app, resource_id, 3)

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": "held"}}, "UpdateItem")

    before("UpdateItem", refuse)
    assert rank(app) == {"seen": 2, "written": 1, "skipped": 1}
    assert rank(app) == {"seen": 2, "written": 1, "skipped": 0}


def test_next_run_completes_an_interrupted_ranking(app: App) -> None:
    resources = [put(app, number).resource_id for number in range(6)]
    for number, resource_id in enumerate(resources):
        count_executions(app, resource_id, 6 - number)
    events, written = aws.client("dynamodb").meta.events, []

    def crash(**_: Any) -> None:
        written.append(1)
        if len(written) == 4:
            raise RuntimeError("out of time")

    events.register("before-call.dynamodb.UpdateItem", crash)
    with pytest.raises(RuntimeError):
        rank(app)
    events.unregister("before-call.dynamodb.UpdateItem", crash)
    assert sorted(all_pages(app, sort="most_used", limit="2")) == resources
    assert rank(app) == {"seen": 6, "written": 3, "skipped": 0}
    assert all_pages(app, sort="most_used", limit="2") == resources


def test_patch_keeps_ranks_and_hiding_clears_them(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    resource_id = resource["resource_id"]
    path = f"/api/resources/{resource_id}"
    assert {name: row(seeded, resource_id)[name] for name in RANKS[:2]} == {n: {"N": "0"} for n in RANKS[:2]}
    seeded.connect("bob")
    assert seeded.execute(resource_id, user="bob").status == 200
    assert rank(seeded)["written"] == 1
    ranks = {name: row(seeded, resource_id)[name] for name in RANKS}
    assert ranks["calls_30d"] == {"N": "1"}
    assert seeded.call("PATCH", path, {"name": "New", "slug": "new"}).status == 200
    assert {name: row(seeded, resource_id)[name] for name in RANKS} == ranks
    for visibility in ("unlisted", "private"):
        assert seeded.call("PATCH", path, {"visibility": visibility}).status == 200
        assert not row(seeded, resource_id).keys() & {*RANKS, "listing"}
    assert seeded.call("PATCH", path, {"visibility": "public"}).status == 200
    assert row(seeded, resource_id)["calls_30d"] == {"N": "0"}
    assert rank(seeded)["written"] == 1
    assert page(seeded, sort="most_used").json["data"][0]["recent_use"] == {"calls": 1, "successes": 1}


def test_concurrent_ranking_does_not_cause_a_patch_conflict(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    count_executions(seeded, resource["resource_id"], 7)
    before("TransactWriteItems", lambda: None if rank(seeded)["written"] == 1 else pytest.fail("not ranked"))
    changed = seeded.call("PATCH", f"/api/resources/{resource['resource_id']}", {"name": "New"})
    assert (changed.status, changed.json["revision"]) == (200, 2)
    assert row(seeded, resource["resource_id"])["calls_30d"] == {"N": "7"}


def test_patch_retries_a_transaction_conflict_with_the_ranking(seeded: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instant.adapters.resources.store.time.sleep", lambda seconds: None)
    resource = seeded.resource(visibility="public")
    tried: list[int] = []

    def conflict(**_: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            reasons = [{"Code": "TransactionConflict", "Message": "held"}]
            error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")

    events = aws.client("dynamodb").meta.events
    events.register("before-call.dynamodb.TransactWriteItems", conflict)
    changed = seeded.call("PATCH", f"/api/resources/{resource['resource_id']}", {"name": "New"})
    events.unregister("before-call.dynamodb.TransactWriteItems", conflict)
    assert (changed.status, changed.json["revision"], len(tried)) == (200, 2, 3)
