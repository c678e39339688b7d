"""Catalog index browsing: filters, sort orders, and pages without gaps or duplicates while the catalog changes."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.index import CatalogIndex, ModelSort
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.query import ModelQuery, is_free
from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest
from tests.fakes.builders import a_model


def day(text: str) -> int:
    """Return noon of that day as a Unix timestamp."""
    return int(datetime.fromisoformat(f"{text}T12:00:00Z").astimezone(UTC).timestamp())


CHEAP = a_model(
    "meadow/lark-mini",
    released_at=day("2026-11-20"),
    display_name="b",
    description="Answers QUICKLY",
    expiration_date="2026-12-01",
)
EXPENSIVE = a_model(
    "harbor/tide",
    released_at=day("2026-11-10"),
    display_name="A",
    context_length=200_000,
    pricing={"prompt": "0.01", "completion": "0.02"},
    input_modalities=("image", "text"),
    supported_parameters=("seed", "tools"),
    expiration_date="2098-12-31",
)
FREE = a_model(
    "meadow/lark:free",
    released_at=day("2026-11-20"),
    pricing={"prompt": "0", "completion": "0.0"},
    context_length=None,
)
ROUTER = a_model("openrouter/auto", released_at=None, pricing={"prompt": "-1", "completion": "-1"})
WITHOUT_TOKEN_PRICE = a_model(
    "northwind/easel", released_at=day("2026-01-01"), pricing={"image": "0.04"}, output_modalities=("image",)
)
GONE = a_model("old/timer", is_active=False, released_at=1, supported_parameters=("tools",))
MODELS = sorted([CHEAP, EXPENSIVE, FREE, ROUTER, WITHOUT_TOKEN_PRICE, GONE], key=lambda model: model.openrouter_id)


def ids(query: ModelQuery, sort: ModelSort = ModelSort.NEWEST, models: Sequence[CatalogModel] = MODELS) -> list[str]:
    """Return the matching ids in order."""
    page, total = CatalogIndex(models).page(query, sort, PageRequest(200))
    assert total == len(page.items)
    assert page.next is None
    return [model.openrouter_id for model in page.items]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "no filter": ({"active": None}, " ".join(model.openrouter_id for model in MODELS)),
    "inactive": ({"active": False}, "old/timer"),
    "text in the description": ({"text": "quick"}, "meadow/lark-mini"),
    "text in the id": ({"text": "MEADOW/L"}, "meadow/lark-mini meadow/lark:free"),
    "author": ({"authors": words("harbor")}, "harbor/tide"),
    "any author": ({"authors": words("harbor northwind nobody")}, "harbor/tide northwind/easel"),
    "input": ({"input_modalities": words("image")}, "harbor/tide"),
    "all inputs": ({"input_modalities": words("image text")}, "harbor/tide"),
    "output": ({"output_modalities": words("image")}, "northwind/easel"),
    "parameter": ({"supported_parameters": words("tools"), "active": None}, "harbor/tide old/timer"),
    "all parameters": ({"supported_parameters": words("tools seed"), "active": None}, "harbor/tide"),
    "context": ({"min_context": 100_000}, "harbor/tide"),
    "price": ({"max_price": Decimal("0.001")}, "meadow/lark-mini meadow/lark:free"),
    "price zero": ({"max_price": Decimal(0)}, "meadow/lark:free"),
    "minimum price": ({"min_price": Decimal("0.01")}, "harbor/tide"),
    "price range": ({"min_price": Decimal("1e-9"), "max_price": Decimal("0.0099")}, "meadow/lark-mini"),
    "any price": ({"min_price": Decimal(0)}, "harbor/tide meadow/lark-mini meadow/lark:free"),
    "released since": ({"released_since": date(2026, 11, 20)}, "meadow/lark-mini meadow/lark:free"),
    "released until": ({"released_until": date(2026, 11, 10), "active": None}, "harbor/tide northwind/easel old/timer"),
    "ends by": ({"ends_by": date(2026, 12, 1)}, "meadow/lark-mini"),
    "ends by an earlier day": ({"ends_by": date(2026, 11, 30)}, ""),
    "outlasts": ({"outlasts": date(2026, 12, 1)}, "harbor/tide meadow/lark:free northwind/easel openrouter/auto"),
    "outlasts the day before its end": ({"outlasts": date(2026, 11, 30), "text": "quick"}, "meadow/lark-mini"),
    "no match": ({"text": "no such model"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", FILTERS)
def test_index_filter_keeps_matching_models(case: str) -> None:
    query, expected = FILTERS[case]
    assert set(ids(ModelQuery(**query))) == words(expected)


def test_index_free_filter_requires_free_tokens_and_requests() -> None:
    assert is_free(FREE)
    assert not is_free(CHEAP)
    assert not is_free(ROUTER)
    assert not is_free(a_model(pricing={"prompt": "0", "completion": "0", "request": "0.0005"}))
    assert "meadow/lark:free" in ids(ModelQuery(free=True))
    assert "meadow/lark:free" not in ids(ModelQuery(free=False))


def test_index_release_filter_ignores_timestamps_outside_the_calendar() -> None:
    odd = [a_model("a/far", released_at=10**17), a_model("a/none", released_at=None)]
    assert ids(ModelQuery(released_since=date(1970, 1, 1)), models=odd) == []
    assert ids(ModelQuery(), models=odd) == ["a/far", "a/none"]


ORDERS = {
    "newest": "meadow/lark-mini meadow/lark:free harbor/tide northwind/easel old/timer openrouter/auto",
    "-newest": "old/timer northwind/easel harbor/tide meadow/lark:free meadow/lark-mini openrouter/auto",
    "price": "meadow/lark:free meadow/lark-mini old/timer harbor/tide northwind/easel openrouter/auto",
    "-price": "harbor/tide old/timer meadow/lark-mini meadow/lark:free northwind/easel openrouter/auto",
    "context": "harbor/tide meadow/lark-mini northwind/easel old/timer openrouter/auto meadow/lark:free",
    "-context": "openrouter/auto old/timer northwind/easel meadow/lark-mini harbor/tide meadow/lark:free",
    "name": "harbor/tide meadow/lark-mini meadow/lark:free northwind/easel old/timer openrouter/auto",
    "-name": "openrouter/auto old/timer northwind/easel meadow/lark:free meadow/lark-mini harbor/tide",
}


@pytest.mark.parametrize("sort", ModelSort)
def test_index_sort_is_total_and_lists_unknown_values_last(sort: ModelSort) -> None:
    assert ids(ModelQuery(active=None), sort) == ORDERS[sort].split()


NAMES = st.text(max_size=3) | st.just("x" * 300) | st.just("ÄÖ\n\u200b\x00")
ANY_MODEL = st.builds(
    lambda number, released, context, prompt, name, active: a_model(
        f"a/{number:02d}",
        released_at=released,
        context_length=context,
        pricing={"prompt": prompt, "completion": "0"},
        display_name=name,
        is_active=active,
    ),
    st.integers(0, 30),
    st.none() | st.integers(1, 3),
    st.none() | st.integers(1, 3),
    st.sampled_from(["0", "0.0", "0.1", "0.00000008333333333333334", "-1", "dear"]),
    NAMES,
    st.booleans(),
)
CATALOGS = st.lists(ANY_MODEL, unique_by=lambda model: model.openrouter_id, max_size=24).map(
    lambda models: sorted(models, key=lambda model: model.openrouter_id)
)


@given(CATALOGS, st.lists(CATALOGS, max_size=4), st.integers(1, 7), st.sampled_from(ModelSort))
def test_index_pages_list_unchanged_models_once(
    models: Sequence[CatalogModel], changes: list[Sequence[CatalogModel]], limit: int, sort: ModelSort
) -> None:
    """The catalog changes between pages; each model that never changes is listed exactly once."""
    states = [models, *({**by_id(models), **by_id(change)}.values() for change in changes)]
    query, after, seen = ModelQuery(), None, list[str]()
    for number in range(100):
        state = states[min(number, len(states) - 1)]
        page, _ = CatalogIndex(sorted(state, key=lambda model: model.openrouter_id)).page(
            query, sort, PageRequest(limit, after)
        )
        seen += [model.openrouter_id for model in page.items]
        if page.next is None:
            break
        after = Cursor.decode(page.next.encode())
    unchanged = [model for model in models if model.is_active and all(model in state for state in states)]
    assert [seen.count(model.openrouter_id) for model in unchanged] == [1] * len(unchanged)


@given(CATALOGS, st.integers(1, 7), st.sampled_from(ModelSort))
def test_index_pages_concatenate_to_the_full_list(models: Sequence[CatalogModel], limit: int, sort: ModelSort) -> None:
    index, after, seen = CatalogIndex(models), None, list[str]()
    while True:
        page, total = index.page(ModelQuery(active=None), sort, PageRequest(limit, after))
        assert total == len(models)
        assert len(page.items) <= limit
        seen += [model.openrouter_id for model in page.items]
        if page.next is None:
            break
        after = Cursor.decode(page.next.encode())
    assert seen == ids(ModelQuery(active=None), sort, models)


def test_index_pages_include_a_model_named_like_the_unknown_marker() -> None:
    models = [replace(MODELS[0], display_name=name) for name in ("?", "x")]
    models[1] = replace(models[1], openrouter_id="z/z")
    first, _ = CatalogIndex(models).page(ModelQuery(active=None), ModelSort.NAME, PageRequest(1))
    rest, _ = CatalogIndex(models).page(ModelQuery(active=None), ModelSort.NAME, PageRequest(1, first.next))
    assert [model.display_name for model in (*first.items, *rest.items)] == ["?", "x"]


def by_id(models: Sequence[CatalogModel]) -> dict[str, CatalogModel]:
    return {model.openrouter_id: model for model in models}


@pytest.mark.parametrize(
    "cursor", ["newest", "newest 1", "price", "price cheap", "price NaN", "price 1e999", "-price 1", "", "price -?"]
)
def test_index_rejects_a_cursor_of_another_list(cursor: str) -> None:
    with pytest.raises(InvalidField, match="belongs to another list"):
        CatalogIndex(MODELS).page(ModelQuery(), ModelSort.CHEAPEST, PageRequest(10, Cursor(cursor, "meadow/lark")))


def test_index_cursor_resumes_at_the_position_of_its_model() -> None:
    page, total = CatalogIndex(MODELS).page(
        ModelQuery(), ModelSort.CHEAPEST, PageRequest(1, Cursor("price 0", "gone/now"))
    )
    assert ([model.openrouter_id for model in page.items], total) == (["meadow/lark:free"], 5)


def test_index_finds_a_retired_model_by_its_full_id() -> None:
    index = CatalogIndex(MODELS)
    assert index.get("old/timer") is GONE
    assert [index.get(missing) for missing in ("meadow/lark", "MEADOW/LARK-MINI", "")] == [None] * 3


@contextmanager
def counted_steps() -> Iterator[list[int]]:
    """Count function calls and loop iterations."""
    steps, monitoring, tool = [0], sys.monitoring, 4
    kinds = (monitoring.events.PY_START, monitoring.events.JUMP)

    def step(*_: object) -> None:
        steps[0] += 1

    monitoring.use_tool_id(tool, "work")
    for kind in kinds:
        monitoring.register_callback(tool, kind, step)
    monitoring.set_events(tool, kinds[0] | kinds[1])
    try:
        yield steps
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)


def steps_of_pages(count: int) -> tuple[int, int, int]:
    """Return the steps of three pages with every filter: the first, the same again, and one near the end."""
    index = CatalogIndex([a_model(f"a/{number:05d}", released_at=number % 97 + 1) for number in range(count)])
    query = ModelQuery(text="lark", authors=words("a"), max_price=Decimal(1), min_context=1, free=False)
    counts, after = [], None
    for _ in range(3):
        with counted_steps() as steps:
            page, total = index.page(query, ModelSort.NEWEST, PageRequest(200, after))
        assert (len(page.items), total) == (200, count)
        counts.append(steps[0])
        after = Cursor("newest -48", "a/00000")
    return counts[0], counts[1], counts[2]


def test_index_work_grows_linearly_with_the_model_count() -> None:
    small, large = steps_of_pages(1_000), steps_of_pages(10_000)
    for few, many in zip(small, large, strict=True):
        assert many <= 10.5 * few
    assert large[1] < large[0] / 2, "a sort order is computed once"
    assert abs(large[2] - large[1]) < large[1] / 100, "a page near the end takes as many steps as one near the start"
