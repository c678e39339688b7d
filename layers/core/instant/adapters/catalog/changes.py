"""Catalog changes in DynamoDB: by model, and all in order of time."""

from collections.abc import Iterator
from typing import Any, Self, override

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from instant.adapters.aws.tables import Table
from instant.domain.catalog.change import ChangeFilter, ChangeKind, ModelChange
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.resources.listing import MAX_EXAMINED
from instant.ports.catalog.changes import ChangeLists

_EVERYTHING = "all"
"""The single partition of the feed: a catalog has about 30 changes per day."""

_ROWS_PER_READ = 100
_FIRST = "0"
_LAST = "~"
_BETWEEN = "#"


class Feed(GlobalSecondaryIndex["ChangeRow"]):  # type: ignore[no-untyped-call]
    """Index of all changes by time."""

    class Meta:
        """The index in template.yaml."""

        index_name = "feed"
        projection = AllProjection()

    feed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class ChangeRow(Table):
    """One change; `place` is its time and kind, so that simultaneous changes of a model do not collide."""

    openrouter_id = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    feed = UnicodeAttribute(default=_EVERYTHING)
    kind = UnicodeAttribute()
    author = UnicodeAttribute()
    old = JSONAttribute()
    new = JSONAttribute()
    by_time = Feed()

    @classmethod
    def of(cls, change: ModelChange) -> Self:
        """The row of a change."""
        return cls(
            change.openrouter_id,
            f"{change.at}{_BETWEEN}{change.kind}",
            kind=change.kind.value,
            author=change.openrouter_id.split("/")[0],
            old=dict(change.old),
            new=dict(change.new),
        )

    def record(self) -> ModelChange:
        """Convert the row to the domain object."""
        return ModelChange(
            openrouter_id=self.openrouter_id,
            at=self.place.partition(_BETWEEN)[0],
            kind=ChangeKind(self.kind),
            old=self.old,
            new=self.new,
        )


class DynamoChangeLists(ChangeLists):
    """Pagination whose cursor is the last row read, so that new changes neither repeat nor skip a row."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ChangeRow.named(table_name)

    @override
    def page(self, change_filter: ChangeFilter, page: PageRequest) -> Page[ModelChange]:
        """Changes, newest first: read until the page is full, the list ends, or the read limit is reached."""
        reads = self._query(
            change_filter.model,
            change_filter.since or _FIRST,
            filter_condition=self._condition(change_filter),
            page_size=_ROWS_PER_READ,
            last_evaluated_key=page.after and _key(change_filter.model, page.after),
        )
        rows: list[ChangeRow] = []
        end: dict[str, Any] | None = None
        for answer in reads.page_iter:
            rows += map(self._rows.from_raw_data, answer["Items"])
            end = answer.get("LastEvaluatedKey")
            if len(rows) > page.limit or reads.page_iter.total_scanned_count + _ROWS_PER_READ > MAX_EXAMINED:
                break
        if len(rows) > page.limit:
            last = rows[page.limit - 1]
            return Page(_records(rows[: page.limit]), Cursor(last.place, last.openrouter_id))
        return Page(_records(rows), Cursor(end["place"]["S"], end["openrouter_id"]["S"]) if end else None)

    @override
    def after(self, at: str, openrouter_id: str | None = None, until: str | None = None) -> Iterator[ModelChange]:
        return (row.record() for row in self._query(openrouter_id, at + _LAST, (until or "") + _LAST))

    def _query(self, model: str | None, first: str, last: str = _LAST, **more: Any) -> Any:
        """A model's changes use consistent reads, which an index does not support."""
        query, key = (self._rows.query, model) if model else (self._rows.by_time.query, _EVERYTHING)
        return query(
            key,
            self._rows.place.between(first, last),
            scan_index_forward=False,
            consistent_read=model is not None,
            **more,
        )

    def _condition(self, change_filter: ChangeFilter) -> Condition | None:
        conditions = [
            *([self._rows.kind == change_filter.kind.value] if change_filter.kind else []),
            *([self._rows.author == change_filter.author] if change_filter.author else []),
        ]
        return conditions[0] & conditions[1] if len(conditions) == 2 else next(iter(conditions), None)


def _key(model: str | None, after: Cursor) -> dict[str, Any]:
    """The start of the next page; a cursor of another model is rejected."""
    key = {"openrouter_id": {"S": model or after.item_id}, "place": {"S": after.sort}}
    return key if model else {**key, "feed": {"S": _EVERYTHING}}


def _records(rows: list[ChangeRow]) -> list[ModelChange]:
    return [row.record() for row in rows]
