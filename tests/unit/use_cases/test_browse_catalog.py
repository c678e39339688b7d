"""Browsing the catalog: each filter, each order, and pages without gaps or doubles."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.errors import NotFound
from instant.domain.page import Cursor, PageRequest
from instant.use_cases.browse_catalog import Catalog, ModelQuery, ModelSort, is_free, list_models, read_model
from tests.fakes.nouns import a_model

CHEAP = a_model("meadow/lark-mini", released_at=300, display_name="b", description="Answers QUICKLY")
DEAR = a_model(
    "harbor/tide",
    released_at=200,
    display_name="A",
    context_length=200_000,
    pricing={"prompt": "0.01", "completion": "0.02"},
    input_modalities=("image", "text"),
)
FREE = a_model("meadow/lark:free", released_at=300, pricing={"prompt": "0", "completion": "0.0"}, context_length=None)
ROUTER = a_model("openrouter/auto", released_at=None, pricing={"prompt": "-1", "completion": "-1"})
PRICELESS = a_model("northwind/easel", released_at=100, pricing={"image": "0.04"}, output_modalities=("image",))
GONE = a_model("old/timer", is_active=False, released_at=1, supported_parameters=("tools",))
MODELS = [CHEAP, DEAR, FREE, ROUTER, PRICELESS, GONE]


def ids(query: ModelQuery, models: Sequence[CatalogModel] = MODELS) -> list[str]:
    """The matching ids in order."""
    page, total = list_models(query, PageRequest(200), models)
    assert total == len(page.items)
    assert page.next is None
    return [model.openrouter_id for model in page.items]


FILTERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "inactive": ({"active": False}, {"old/timer"}),
    "text in the description": ({"text": "quick"}, {"meadow/lark-mini"}),
    "text in the id": ({"text": "MEADOW/L"}, {"meadow/lark-mini", "meadow/lark:free"}),
    "author": ({"author": "harbor"}, {"harbor/tide"}),
    "input": ({"input_modality": "image"}, {"harbor/tide"}),
    "output": ({"output_modality": "image"}, {"northwind/easel"}),
    "parameter": ({"supported_parameter": "tools", "active": None}, {"old/timer"}),
    "context": ({"min_context": 100_000}, {"harbor/tide"}),
    "price": ({"max_price": Decimal("0.001")}, {"meadow/lark-mini", "meadow/lark:free"}),
    "price zero": ({"max_price": Decimal(0)}, {"meadow/lark:free"}),
    "nothing": ({"text": "no such model"}, set()),
}


@pytest.mark.parametrize("case", FILTERS)
def test_each_filter_keeps_what_matches(case: str) -> None:
    query, expected = FILTERS[case]
    assert set(ids(ModelQuery(**query))) == expected


def test_free_means_that_every_token_and_request_is() -> None:
    assert is_free(FREE)
    assert not is_free(CHEAP)
    assert not is_free(ROUTER)
    assert not is_free(a_model(pricing={"prompt": "0", "completion": "0", "request": "0.0005"}))
    assert "meadow/lark:free" in ids(ModelQuery(free=True))
    assert "meadow/lark:free" not in ids(ModelQuery(free=False))


ORDERS = {
    ModelSort.NEWEST: "meadow/lark-mini meadow/lark:free harbor/tide northwind/easel old/timer openrouter/auto",
    ModelSort.PRICE: "meadow/lark:free meadow/lark-mini old/timer harbor/tide northwind/easel openrouter/auto",
    ModelSort.CONTEXT: "harbor/tide meadow/lark-mini northwind/easel old/timer openrouter/auto meadow/lark:free",
    ModelSort.NAME: "harbor/tide meadow/lark-mini meadow/lark:free northwind/easel old/timer openrouter/auto",
}


@pytest.mark.parametrize("sort", ModelSort)
def test_each_order_is_one_order(sort: ModelSort) -> None:
    assert ids(ModelQuery(sort=sort, active=None)) == ORDERS[sort].split()
    assert ids(ModelQuery(sort=sort, active=None), MODELS[::-1]) == ORDERS[sort].split()


@given(st.integers(1, 40), st.integers(1, 12), st.sampled_from(ModelSort))
def test_pages_show_everything_once(count: int, limit: int, sort: ModelSort) -> None:
    models = [a_model(f"a/{number}", released_at=number % 3) for number in range(count)]
    seen: list[str] = []
    after: Cursor | None = None
    while True:
        page, total = list_models(ModelQuery(sort=sort), PageRequest(limit, after), models)
        assert total == count
        assert 0 < len(page.items) <= limit
        seen += [model.openrouter_id for model in page.items]
        if page.next is None:
            break
        after = Cursor.decode(page.next.encode())
    assert seen == ids(ModelQuery(sort=sort), models)


def test_a_cursor_that_names_nothing_here_ends_the_list() -> None:
    page, total = list_models(ModelQuery(), PageRequest(10, Cursor("newest", "not/there")), MODELS)
    assert (page.items, page.next, total) == ([], None, 5)


def test_a_model_is_found_by_its_whole_id_also_when_it_is_gone() -> None:
    assert read_model("old/timer", MODELS) is GONE
    for missing in ("meadow/lark", "MEADOW/LARK-MINI", ""):
        with pytest.raises(NotFound):
            read_model(missing, MODELS)


class Reader:
    """A catalog that counts how often it is read whole."""

    def __init__(self) -> None:
        """Never synced."""
        self.record: SyncRecord | None = None
        self.reads = 0

    def all(self) -> Sequence[CatalogModel]:
        """Every model."""
        self.reads += 1
        return MODELS

    def last_sync(self) -> SyncRecord | None:
        """The record."""
        return self.record


def test_the_catalog_is_read_again_only_after_a_sync() -> None:
    reader = Reader()
    catalog = Catalog(reader)
    assert catalog.models() == ((), None)
    reader.record = SyncRecord(synced_at="now", read_at="now")
    assert catalog.models() == catalog.models() == (MODELS, reader.record)
    assert reader.reads == 1
    reader.record = SyncRecord(synced_at="later", read_at="now")
    assert catalog.models() == (MODELS, reader.record)
    assert reader.reads == 1, "that sync found the very same list"
    reader.record = SyncRecord(synced_at="later", read_at="later")
    assert catalog.models() == catalog.models() == (MODELS, reader.record)
    assert reader.reads == 2
