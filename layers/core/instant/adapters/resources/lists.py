"""Lists of resources from DynamoDB indexes, and the ranks that order them."""

from collections.abc import Iterator
from typing import Any, override

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from instant.adapters.resources.rows import LISTED, ResourceRow, ranks_of
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.resources.listing import MAX_EXAMINED, ResourceFilter, ResourceSort, searchable
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource
from instant.ports.resources.lists import RankStore, ResourceLists

_ORDERS = {
    ResourceSort.NEWEST: ("public", "created_at"),
    ResourceSort.MOST_USED: ("popular", "calls_rank"),
    ResourceSort.SUCCESS_RATE: ("reliable", "success_rank"),
}
_ROWS_PER_READ = 100
_MIN_PER_READ = 25
_LOST = {"ConditionalCheckFailedException", "TransactionConflictException"}


class DynamoResourceLists(ResourceLists):
    """Pagination whose cursor is the last row read, so that writes neither repeat nor skip a row."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(table_name)

    @override
    def owned_by(self, user_id: str, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        return self._page("owned", ("owner_id", user_id), "created_at", resource_filter, page)

    @override
    def public(self, sort: ResourceSort, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        index, place = _ORDERS[sort]
        return self._page(index, ("listing", LISTED), place, resource_filter, page)

    def _page(
        self, index: str, partition: tuple[str, str], place: str, resource_filter: ResourceFilter, page: PageRequest
    ) -> Page[Resource]:
        """Read until the page is full, the list ends, or the read limit is reached."""
        size = max(page.limit + 1, _MIN_PER_READ) if resource_filter == ResourceFilter() else _ROWS_PER_READ
        reads = getattr(self._rows, index).query(
            partition[1],
            filter_condition=self._condition(resource_filter),
            scan_index_forward=False,
            page_size=size,
            last_evaluated_key=page.after and _key(partition, place, page.after),
        )
        rows: list[ResourceRow] = []
        end: dict[str, Any] | None = None
        for answer in reads.page_iter:
            rows += map(self._rows.from_raw_data, answer["Items"])
            end = answer.get("LastEvaluatedKey")
            if len(rows) > page.limit or reads.page_iter.total_scanned_count + size > MAX_EXAMINED:
                break
        if len(rows) > page.limit:
            last = rows[page.limit - 1]
            return Page(_records(rows[: page.limit]), Cursor(getattr(last, place), last.resource_id))
        return Page(_records(rows), Cursor(end[place]["S"], end["resource_id"]["S"]) if end else None)

    def _condition(self, resource_filter: ResourceFilter) -> Condition:
        row = self._rows
        condition: Condition = row.deleted_at.does_not_exist()
        if resource_filter.category is not None:
            condition &= row.category == resource_filter.category
        if resource_filter.resource_type is not None:
            condition &= row.resource_type == resource_filter.resource_type
        if resource_filter.author is not None:
            condition &= row.ai_model_id.startswith(f"{resource_filter.author}/")
        if resource_filter.text is not None:
            condition &= row.search.contains(searchable(resource_filter.text))
        return condition


class DynamoRankStore(RankStore):
    """Writes ranks; only a row that is still public is updated, and only its ranks."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(table_name)

    @override
    def every_public(self) -> Iterator[Resource]:
        return (row.record() for row in self._rows.public.query(LISTED, page_size=_ROWS_PER_READ))

    @override
    def rank(self, resource_id: str, usage: UseCounts) -> bool:
        row = self._rows
        actions = [getattr(row, name).set(value) for name, value in ranks_of(resource_id, usage).items()]
        try:
            row(resource_id).update(actions, condition=(row.listing == LISTED) & row.deleted_at.does_not_exist())
        except UpdateError as error:
            if error.cause_response_code in _LOST:
                return False
            raise
        return True


def _key(partition: tuple[str, str], place: str, after: Cursor) -> dict[str, Any]:
    name, value = partition
    return {name: {"S": value}, place: {"S": after.sort}, "resource_id": {"S": after.item_id}}


def _records(rows: list[ResourceRow]) -> list[Resource]:
    return [row.record() for row in rows]
