"""The catalog rejects invalid queries and names the invalid parameter."""

from collections.abc import Iterator

import pytest

from tests.integration.app import App
from tests.integration.lent_app import lend_app

BAD_QUERIES = {
    "limit": ("0", "201", "many"),
    "cursor": ("garbage",),
    "sort": ("random", "--price", "-"),
    "free": ("maybe",),
    "active": ("perhaps",),
    "min_context": ("-1", "1.5"),
    "max_price": ("-1", "NaN", "Infinity", "cheap"),
    "min_price": ("-1", "NaN", "dear"),
    "min_age_days": ("-1", "36501", "old"),
    "max_age_days": ("-1", "1.5"),
    "expiring": ("soon",),
    "expiring_within_days": ("-1", "36501"),
    "author": ("x" * 501,),
    "search": ("lark",),
    "page": ("2",),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with lend_app() as app:
        yield app


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_QUERIES.items() for value in values])
def test_catalog_query_rejects_invalid_parameters(shared: App, name: str, value: str) -> None:
    answer = shared.call("GET", "/api/models", query={name: value}, user=None)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, name)


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 422)])
def test_search_text_rejects_more_than_200_characters(shared: App, length: int, status: int) -> None:
    assert shared.call("GET", "/api/models", query={"q": "x" * length}, user=None).status == status


def test_model_lookup_rejects_query_parameters(shared: App) -> None:
    answer = shared.call("GET", "/api/models/meadow/lark", query={"fields": "pricing"}, user=None)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "fields")
