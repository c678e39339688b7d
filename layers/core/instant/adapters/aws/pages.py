"""Pagination of DynamoDB queries: one extra item is read to detect a next page."""

from collections.abc import Callable
from typing import Any

from instant.adapters.aws.client import client
from instant.domain.page import Cursor, Page


def first_items(query: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The first `count` items of a query; DynamoDB ends a reply after 1 MB, so it can take several requests."""
    items: list[dict[str, Any]] = []
    while True:
        reply = client("dynamodb").query(**query, Limit=count - len(items))
        items += reply["Items"]
        if len(items) >= count or "LastEvaluatedKey" not in reply:
            return items
        query = {**query, "ExclusiveStartKey": reply["LastEvaluatedKey"]}


def page_of[Item](found: list[Item], limit: int, key: Callable[[Item], tuple[str, str]]) -> Page[Item]:
    """The first `limit` items; `key` gives an item's sort key and id."""
    items = found[:limit]
    return Page(items, Cursor(*key(items[-1])) if len(found) > limit else None)
