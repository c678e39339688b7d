"""Batch writes retry unprocessed items, and raise an error when the retries are used up."""

from collections.abc import Iterator

import pytest

from instant.adapters.aws import batch_writes
from instant.adapters.catalog.changes import ChangeRow
from instant.domain.backoff import Backoff
from instant.domain.errors import UpstreamUnavailable
from tests.fakes.aws_faults import Fault, answer, faults
from tests.integration.app import App
from tests.integration.lent_app import lend_app


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """An app with throttled tables, whose writers do not wait between retries."""
    monkeypatch.setattr(batch_writes, "_BACKOFF", Backoff(attempts=10, initial=0, max=0))
    with lend_app() as opened:
        yield opened


def rows(table: type[ChangeRow], count: int) -> list[ChangeRow]:
    return [table("a/b", f"{number:03}", kind="limits", author="a", old={}, new={}) for number in range(count)]


def unprocessed(table: type[ChangeRow], left: list[ChangeRow]) -> Fault:
    """Return a response with these items as unprocessed."""
    puts = [{"PutRequest": {"Item": row.serialize()}} for row in left]
    return answer({"UnprocessedItems": {table.Meta.table_name: puts}})


def test_batch_write_retries_only_unprocessed_items(app: App) -> None:
    table = ChangeRow.named(app.name("MODEL_CHANGES_TABLE"))
    batch = rows(table, 60)
    with faults(
        "BatchWriteItem", None, *[unprocessed(table, batch[25:50])] * 5, unprocessed(table, batch[25:27])
    ) as calls:
        batch_writes.write_items(table, batch)
    sent = [len(puts) for body in calls.bodies for puts in body["RequestItems"].values()]
    assert sent == [25, *[25] * 6, 2, 10]
    stored = {row["place"]["S"] for row in app.table("MODEL_CHANGES_TABLE")}
    assert stored == {row.place for row in batch} - {row.place for row in batch[27:50]}, (
        "items that the fault reports as unprocessed are not stored"
    )


def test_batch_write_raises_when_items_stay_unprocessed(app: App) -> None:
    table = ChangeRow.named(app.name("MODEL_CHANGES_TABLE"))
    batch = rows(table, 3)
    with faults("BatchWriteItem", *[unprocessed(table, batch)] * 20) as calls, pytest.raises(UpstreamUnavailable):
        batch_writes.write_items(table, batch)
    assert len(calls.bodies) == 10


def test_batch_write_of_nothing_makes_no_request(app: App) -> None:
    with faults("BatchWriteItem") as calls:
        batch_writes.write_items(ChangeRow.named(app.name("MODEL_CHANGES_TABLE")), [])
    assert calls.bodies == []
