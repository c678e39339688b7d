"""The ranking orders public resources by use and by success, and never touches what is no longer public."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.domain.resources.resource import Visibility
from tests.integration.aws_calls import recorded
from tests.integration.house import House
from tests.integration.resources.test_public_listing import page, put, store_of, walk

SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
RANKS = ("calls_30d", "successes_30d", "calls_rank", "success_rank")


def called(house: House, resource_id: str, successes: int, failures: int = 0, day: str | None = None) -> None:
    """Count calls, as the ledger's closing transaction does."""
    for bucket in (f"day#{day or datetime.now(UTC).date()}#3", "total#3"):
        counts = {"calls": successes + failures, "successes": successes, "failures": failures}
        aws.client("dynamodb").update_item(
            TableName=house.name("RESOURCE_STATS_TABLE"),
            Key={"resource_id": {"S": resource_id}, "bucket": {"S": bucket}},
            UpdateExpression="ADD calls :calls, successes :successes, failures :failures SET last_called_at = :at",
            ExpressionAttributeValues={
                **{f":{name}": {"N": str(count)} for name, count in counts.items()},
                ":at": {"S": "2026-01-01T00:00:00.000000Z"},
            },
        )


def rank(house: House) -> dict[str, int]:
    """One scheduled run."""
    result: dict[str, int] = house.invoke("RankResourcesFunction", SCHEDULE)
    return result


def row(house: House, resource_id: str) -> dict[str, Any]:
    """The resource's row as it is stored."""
    return next(item for item in house.table("RESOURCES_TABLE") if item["resource_id"]["S"] == resource_id)


def before(operation: str, act: Callable[[], None]) -> None:
    """Do something once, just before the next such call is made."""
    events = aws.client("dynamodb").meta.events

    def once(**_: Any) -> None:
        events.unregister(f"before-call.dynamodb.{operation}", once)
        act()

    events.register(f"before-call.dynamodb.{operation}", once)


def test_use_and_success_order_the_lists(house: House) -> None:
    lucky, busy, broken, unused = (put(house, number).resource_id for number in range(4))
    called(house, lucky, 2)
    called(house, busy, 95, 5)
    called(house, broken, 1, 400)
    assert rank(house) == {"seen": 4, "written": 3, "skipped": 0}
    assert walk(house, sort="most_used", limit="1") == [broken, busy, lucky, unused]
    assert walk(house, sort="success_rate", limit="1") == [busy, lucky, broken, unused]
    assert walk(house, limit="1") == [unused, broken, busy, lucky]
    recent = {row["resource_id"]: row["recent_use"] for row in page(house, sort="most_used").json["data"]}
    assert recent[busy] == {"calls": 100, "successes": 95}
    assert recent[unused] == {"calls": 0, "successes": 0}


def test_only_thirty_days_count(house: House) -> None:
    old, new = (put(house, number).resource_id for number in range(2))
    called(house, old, 50, day="2020-01-01")
    called(house, new, 1)
    assert rank(house)["written"] == 1
    assert walk(house, sort="most_used") == [new, old]


def test_only_what_changed_is_written(house: House) -> None:
    resources = [put(house, number).resource_id for number in range(5)]
    called(house, resources[2], 3)
    assert rank(house) == {"seen": 5, "written": 1, "skipped": 0}
    with recorded("dynamodb") as calls:
        assert rank(house) == {"seen": 5, "written": 0, "skipped": 0}
    assert {call.operation for call in calls} == {"Query"}


def test_a_ranking_changes_ranks_and_nothing_else(house: House) -> None:
    resource_id = put(house, 1).resource_id
    called(house, resource_id, 3)
    old = row(house, resource_id)
    rank(house)
    new = row(house, resource_id)
    assert {name for name in new if new[name] != old.get(name)} == set(RANKS)
    assert new["revision"] == old["revision"]


@pytest.mark.parametrize("change", ["delete", "unlist", "vanish"])
def test_what_goes_meanwhile_stays_gone(house: House, change: str) -> None:
    resource = put(house, 1)
    called(house, resource.resource_id, 3)
    store = store_of(house)
    key = {"resource_id": {"S": resource.resource_id}}
    acts: dict[str, Callable[[], None]] = {
        "delete": lambda: store.delete(resource, "2026-02-01T00:00:00.000000Z"),
        "unlist": lambda: store.replace(resource, replace(resource, visibility=Visibility.UNLISTED, revision=2)),
        "vanish": lambda: aws.client("dynamodb").delete_item(TableName=house.name("RESOURCES_TABLE"), Key=key),
    }
    before("UpdateItem", acts[change])
    assert rank(house) == {"seen": 1, "written": 0, "skipped": 1}
    rows = {item["resource_id"]["S"]: item for item in house.table("RESOURCES_TABLE")}
    assert ("listing" in rows.get(resource.resource_id, {})) is False
    assert (resource.resource_id in rows) == (change != "vanish")
    assert page(house, sort="most_used").json["data"] == []
    assert rank(house)["seen"] == 0


def test_a_row_that_a_transaction_holds_waits_for_the_next_run(house: House) -> None:
    resources = [put(house, number).resource_id for number in range(2)]
    for resource_id in resources:
        called(house, resource_id, 3)

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": "held"}}, "UpdateItem")

    before("UpdateItem", refuse)
    assert rank(house) == {"seen": 2, "written": 1, "skipped": 1}
    assert rank(house) == {"seen": 2, "written": 1, "skipped": 0}


def test_a_run_that_breaks_off_is_finished_by_the_next(house: House) -> None:
    resources = [put(house, number).resource_id for number in range(6)]
    for number, resource_id in enumerate(resources):
        called(house, resource_id, 6 - number)
    events, written = aws.client("dynamodb").meta.events, []

    def crash(**_: Any) -> None:
        written.append(1)
        if len(written) == 4:
            raise RuntimeError("out of time")

    events.register("before-call.dynamodb.UpdateItem", crash)
    with pytest.raises(RuntimeError):
        rank(house)
    events.unregister("before-call.dynamodb.UpdateItem", crash)
    assert sorted(walk(house, sort="most_used", limit="2")) == resources
    assert rank(house) == {"seen": 6, "written": 3, "skipped": 0}
    assert walk(house, sort="most_used", limit="2") == resources


def test_a_change_keeps_ranks_and_hiding_clears_them(furnished: House) -> None:
    resource = furnished.resource(visibility="public")
    resource_id = resource["resource_id"]
    path = f"/api/resources/{resource_id}"
    assert {name: row(furnished, resource_id)[name] for name in RANKS[:2]} == {n: {"N": "0"} for n in RANKS[:2]}
    assert furnished.execute(resource_id).status == 200
    assert rank(furnished)["written"] == 1
    ranks = {name: row(furnished, resource_id)[name] for name in RANKS}
    assert ranks["calls_30d"] == {"N": "1"}
    assert furnished.call("PATCH", path, {"name": "New", "slug": "new"}).status == 200
    assert {name: row(furnished, resource_id)[name] for name in RANKS} == ranks
    for visibility in ("unlisted", "private"):
        assert furnished.call("PATCH", path, {"visibility": visibility}).status == 200
        assert not row(furnished, resource_id).keys() & {*RANKS, "listing"}
    assert furnished.call("PATCH", path, {"visibility": "public"}).status == 200
    assert row(furnished, resource_id)["calls_30d"] == {"N": "0"}
    assert rank(furnished)["written"] == 1
    assert page(furnished, sort="most_used").json["data"][0]["recent_use"] == {"calls": 1, "successes": 1}


def test_a_ranking_between_reading_and_writing_is_no_conflict(furnished: House) -> None:
    resource = furnished.resource(visibility="public")
    called(furnished, resource["resource_id"], 7)
    before("TransactWriteItems", lambda: None if rank(furnished)["written"] == 1 else pytest.fail("not ranked"))
    changed = furnished.call("PATCH", f"/api/resources/{resource['resource_id']}", {"name": "New"})
    assert (changed.status, changed.json["revision"]) == (200, 2)
    assert row(furnished, resource["resource_id"])["calls_30d"] == {"N": "7"}


def test_a_write_that_meets_a_ranking_is_repeated(furnished: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instant.adapters.resources.store.time.sleep", lambda seconds: None)
    resource = furnished.resource(visibility="public")
    tried: list[int] = []

    def conflict(**_: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            reasons = [{"Code": "TransactionConflict", "Message": "held"}]
            error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")

    events = aws.client("dynamodb").meta.events
    events.register("before-call.dynamodb.TransactWriteItems", conflict)
    changed = furnished.call("PATCH", f"/api/resources/{resource['resource_id']}", {"name": "New"})
    events.unregister("before-call.dynamodb.TransactWriteItems", conflict)
    assert (changed.status, changed.json["revision"], len(tried)) == (200, 2, 3)
