"""Pagination of lists."""

from collections.abc import Callable
from typing import Annotated, NotRequired, TypedDict

from pydantic import Field

from instant.domain.page import Cursor, Page, PageRequest

type NextCursor = Annotated[
    str | None, Field(description="Pass it as `cursor` for the next page; null on the last page. A page may be short.")
]


class PageOf[Row](TypedDict):
    """One page of a list."""

    data: list[Row]
    next_cursor: NextCursor
    total: NotRequired[Annotated[int, Field(description="The total number, where it is cheap to compute.")]]


def page_request(limit: int, cursor: str | None) -> PageRequest:
    """The requested page."""
    return PageRequest(limit, Cursor.decode(cursor) if cursor else None)


def page_answer[Item, Row](page: Page[Item], view: Callable[[Item], Row], total: int | None = None) -> PageOf[Row]:
    """The response format of a list."""
    answer: PageOf[Row] = {"data": [view(item) for item in page.items], "next_cursor": None}
    if page.next:
        answer["next_cursor"] = page.next.encode()
    if total is not None:
        answer["total"] = total
    return answer


def whole_answer[Row](rows: list[Row]) -> PageOf[Row]:
    """A list that is always returned in full."""
    return {"data": rows, "next_cursor": None, "total": len(rows)}
