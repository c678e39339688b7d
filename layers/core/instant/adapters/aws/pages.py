"""Pagination of DynamoDB queries: one extra item is read to detect a next page."""

from collections.abc import Callable

from instant.domain.page import Cursor, Page


def page_of[Item](found: list[Item], limit: int, key: Callable[[Item], tuple[str, str]]) -> Page[Item]:
    """The first `limit` items; `key` gives an item's sort key and id."""
    items = found[:limit]
    return Page(items, Cursor(*key(items[-1])) if len(found) > limit else None)
