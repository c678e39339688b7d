"""Filters, sort orders, pages and lookups of the model catalog return the expected models."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.catalog.build import age_of_newest
from tests.integration.app import Answer, App, set_clock
from tests.integration.synced_app import deployed_synced_app

type Row = dict[str, Any]

GONE = ("meadow/lark-mini:free", "juniper/reel-1", "harbor/lighthouse-pro")
YOUNG = age_of_newest()


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """An app with three removed models; `everything` still has them."""
    with deployed_synced_app() as app:
        clock = FakeClock(datetime.now(UTC))
        set_clock(app, clock)
        app.fake.catalog = [row for row in app.fake.catalog if row["id"] not in GONE]
        assert app.sync()["missing"] == len(GONE)
        clock.pass_seconds(7 * 86_400)
        assert app.sync()["removed"] == len(GONE)
        yield app


@pytest.fixture(scope="module")
def everything(shared: App) -> list[Row]:
    """Every row that the catalog has ever had, in OpenRouter's format."""
    return [*shared.fake.catalog, *(row for row in default_catalog() if row["id"] in GONE)]


def _list(app: App, **query: str) -> Answer:
    return app.call("GET", "/api/models", query=query, user=None)


def _ids(app: App, **query: str) -> list[str]:
    """Return all ids of a query whose result is one page; assert the total."""
    answer = _list(app, **{"limit": "200", **query})
    assert answer.status == 200, answer.text
    assert (answer.json["total"], answer.json["next_cursor"]) == (len(answer.json["data"]), None)
    return [model["openrouter_id"] for model in answer.json["data"]]


def _price(row: Row) -> Decimal:
    return Decimal(row["pricing"]["prompt"])


def _is_free(row: Row) -> bool:
    return {Decimal(row["pricing"].get(key, "0")) for key in ("prompt", "completion", "request")} == {Decimal(0)}


def _outputs(*wanted: str) -> Callable[[Row], bool]:
    return lambda row: set(wanted) <= set(row["architecture"]["output_modalities"])


def _accepts(*wanted: str) -> Callable[[Row], bool]:
    return lambda row: set(wanted) <= set(row["architecture"]["input_modalities"])


def _mentions(word: str) -> Callable[[Row], bool]:
    return lambda row: any(word in row[key].lower() for key in ("id", "name", "description"))


def _age(row: Row) -> int:
    return (_today() - datetime.fromtimestamp(row["created"], UTC).date()).days


def _days_left(row: Row) -> float:
    end = date.fromisoformat(row.get("expiration_date") or "9999-01-01")
    return (end - _today()).days if end.year < 2090 else float("inf")


def _today() -> date:
    return datetime.now(UTC).date()


QUERIES: list[tuple[dict[str, str], Callable[[Row], bool]]] = [
    ({}, lambda row: True),
    ({"q": "lark"}, _mentions("lark")),
    ({"q": "LARK MINI"}, _mentions("lark mini")),
    ({"q": "summaries"}, _mentions("summaries")),
    ({"q": ":batch"}, _mentions(":batch")),
    ({"q": "~"}, _mentions("~")),
    ({"q": "nothing has this"}, lambda row: False),
    ({"author": "meadow"}, lambda row: row["id"].startswith("meadow/")),
    ({"author": "~meadow"}, lambda row: row["id"].startswith("~meadow/")),
    ({"author": "mead"}, lambda row: False),
    ({"input_modality": "image"}, _accepts("image")),
    ({"input_modality": "audio"}, _accepts("audio")),
    ({"output_modality": "image"}, _outputs("image")),
    ({"output_modality": "text"}, _outputs("text")),
    ({"output_modality": "rerank"}, _outputs("rerank")),
    ({"supported_parameter": "tools"}, lambda row: "tools" in row["supported_parameters"]),
    ({"supported_parameter": "tool"}, lambda row: False),
    ({"min_context": "0"}, lambda row: True),
    ({"min_context": "131072"}, lambda row: (row["context_length"] or 0) >= 131_072),
    ({"min_context": "1000001"}, lambda row: (row["context_length"] or 0) >= 1_000_001),
    ({"max_price": "0"}, lambda row: _price(row) == 0),
    ({"max_price": "0.00000004"}, lambda row: 0 <= _price(row) <= Decimal("0.00000004")),
    ({"max_price": "4e-8"}, lambda row: 0 <= _price(row) <= Decimal("0.00000004")),
    ({"max_price": "0.00000008333333333333333"}, lambda row: 0 <= _price(row) <= Decimal("0.00000008333333333333333")),
    ({"max_price": "1"}, lambda row: _price(row) >= 0),
    ({"min_price": "0"}, lambda row: _price(row) >= 0),
    ({"min_price": "0.00000004", "max_price": "0.0000004"}, lambda row: 40 <= _price(row) * 10**9 <= 400),
    ({"author": "meadow, harbor"}, lambda row: row["id"].split("/")[0] in {"meadow", "harbor"}),
    ({"input_modality": "image,audio"}, _accepts("image", "audio")),
    ({"output_modality": "image,text"}, _outputs("image", "text")),
    ({"supported_parameter": "tools,reasoning"}, lambda row: {"tools", "reasoning"} <= {*row["supported_parameters"]}),
    ({"supported_parameter": " , "}, lambda row: True),
    ({"max_age_days": str(YOUNG + 60)}, lambda row: _age(row) <= YOUNG + 60),
    ({"min_age_days": str(YOUNG + 61)}, lambda row: _age(row) >= YOUNG + 61),
    (
        {"min_age_days": str(YOUNG + 30), "max_age_days": str(YOUNG + 120)},
        lambda row: YOUNG + 30 <= _age(row) <= YOUNG + 120,
    ),
    ({"expiring": "true"}, lambda row: _days_left(row) <= 30),
    ({"expiring": "false"}, lambda row: _days_left(row) > 30),
    ({"expiring_within_days": "3650"}, lambda row: _days_left(row) <= 3650),
    ({"expiring": "true", "expiring_within_days": "0"}, lambda row: _days_left(row) <= 0),
    ({"expiring": "false", "expiring_within_days": "3650"}, lambda row: _days_left(row) > 3650),
    ({"free": "true"}, _is_free),
    ({"free": "false"}, lambda row: not _is_free(row)),
    (
        {"q": "a", "input_modality": "image", "supported_parameter": "tools", "max_price": "0.000001", "free": "false"},
        lambda row: (
            _mentions("a")(row)
            and _accepts("image")(row)
            and "tools" in row["supported_parameters"]
            and 0 <= _price(row) <= Decimal("0.000001")
            and not _is_free(row)
        ),
    ),
]

ORDERS: dict[str, Callable[[Row], Any]] = {
    "newest": lambda row: -row["created"],
    "name": lambda row: row["name"].lower(),
    "price": lambda row: (_price(row) < 0, _price(row)),
    "context": lambda row: -(row["context_length"] or 0),
}
UNKNOWN = {"newest": "created", "context": "context_length"}
"""The key of each sort order that may be missing; such models come last in both directions."""


@pytest.mark.parametrize(("query", "keeps"), QUERIES, ids=[str(query) for query, _ in QUERIES])
def test_filter_returns_exactly_the_matching_models(
    shared: App, everything: list[Row], query: dict[str, str], keeps: Callable[[Row], bool]
) -> None:
    kept = {row["id"] for row in everything if keeps(row)}
    assert set(_ids(shared, **query)) == kept - set(GONE)
    assert set(_ids(shared, **query, active="true")) == kept - set(GONE)
    assert set(_ids(shared, **query, active="false")) == kept & set(GONE)


@pytest.mark.parametrize("sort", ORDERS)
def test_sort_orders_models_in_both_directions(shared: App, everything: list[Row], sort: str) -> None:
    rows = [row for row in everything if row["id"] not in GONE]
    expected = [row["id"] for row in sorted(rows, key=lambda row: (ORDERS[sort](row), row["id"]))]
    unknown = {row["id"] for row in rows if (sort == "price" and _price(row) < 0) or not row[UNKNOWN.get(sort, "id")]}
    assert _ids(shared, sort=sort) == expected
    known = [name for name in expected if name not in unknown]
    assert _ids(shared, sort=f"-{sort}") == known[::-1] + sorted(unknown)
    assert sort != "newest" or _ids(shared) == expected


@pytest.mark.parametrize(("limit", "sort"), [("1", "name"), ("7", "price"), ("64", "newest"), ("50", "context")])
def test_pages_return_each_model_once(shared: App, limit: str, sort: str) -> None:
    query, seen = {"limit": limit, "sort": sort}, list[str]()
    while True:
        page = _list(shared, **query).json
        assert (page["total"], 0 < len(page["data"]) <= int(limit)) == (64, True)
        seen += [model["openrouter_id"] for model in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == _ids(shared, sort=sort)
    assert len(seen) == len(set(seen)) == 64


def test_page_returns_fifty_models_by_default(shared: App) -> None:
    assert len(_list(shared).json["data"]) == 50


def test_list_row_returns_the_facts_from_openrouter(shared: App, everything: list[Row]) -> None:
    listed = {model["openrouter_id"]: model for model in _list(shared, limit="200").json["data"]}
    for row in (row for row in everything if row["id"] not in GONE):
        model = listed[row["id"]]
        assert (model["display_name"], model["description"]) == (row["name"], row["description"])
        assert (model["canonical_slug"], model["provider"]) == (row["canonical_slug"], row["id"].split("/")[0])
        assert model["context_length"] == row["context_length"]
        assert model["max_tokens"] == row["top_provider"]["max_completion_tokens"]
        assert model["supported_parameters"] == sorted(row["supported_parameters"])
        assert model["input_modalities"] == sorted(row["architecture"]["input_modalities"])
        assert (model["price_held"], model["price_held_since"]) == ({}, None)
        assert model["reasoning"] == row.get("reasoning", {})
        assert model["discount"] == (str(row["pricing"]["discount"]) if "discount" in row["pricing"] else None)
        assert model["pricing"] == {key: price for key, price in row["pricing"].items() if isinstance(price, str)}
        assert len(model["price_overrides"]) == len(row["pricing"].get("overrides", []))
        assert model["expiration_date"] == row.get("expiration_date")
        assert model["alias_target"] == row.get("alias_target", {}).get("slug")
        assert model["vision_supported"] == ("image" in row["architecture"]["input_modalities"])
        assert model["tool_calling_supported"] == ("tools" in row["supported_parameters"])
        assert model["last_synced_at"] is not None
    unusable = {key for key, model in listed.items() if not model["usable"]}
    assert {"openrouter/auto", "openai/gpt-4o-mini:batch", "harbor/echo-audio"} <= unusable
    assert not unusable & {"meadow/lark", "~meadow/lark-latest", "stealth/moth-alpha", "juniper/fresco-2"}


def test_model_lookup_accepts_plain_and_encoded_ids(shared: App, everything: list[Row]) -> None:
    for row in everything:
        author, slug = row["id"].split("/")
        encoded = "".join(f"%{ord(letter):02X}" for letter in slug)
        for path in (row["id"], f"{quote(author, safe='')}/{quote(slug, safe='')}", f"{author}/{encoded}"):
            answer = shared.call("GET", f"/api/models/{path}", user=None)
            assert (answer.status, answer.json["openrouter_id"]) == (200, row["id"])
            assert answer.json["is_active"] == (row["id"] not in GONE)
            assert (answer.json["missing_since"] is None) == (row["id"] not in GONE)


@pytest.mark.parametrize(
    "path", ["meadow/nosuch", "nobody/lark", "Meadow/lark", "meadow/lark%253Afree", "~meadow/lark"]
)
def test_model_lookup_rejects_unknown_ids(shared: App, path: str) -> None:
    answer = shared.call("GET", f"/api/models/{path}", user=None)
    assert (answer.status, answer.code) == (404, "not_found")
