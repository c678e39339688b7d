"""The OpenRouter catalog parser accepts every known special case and rejects anything that is not a catalog."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.model import CatalogModel, why_unusable
from instant.domain.catalog.pricing import unreckoned
from instant.domain.exchange import Reply
from instant.integrations.openrouter.catalog import Listing, listing_request, read_listing
from instant.integrations.openrouter.catalog.rows import Row, RowSkipped, read_row
from instant.resource_types.openrouter_instant import OpenRouterInstant
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import encode


def listing_of(rows: object, status: int = 200, **more: Any) -> Listing | None:
    """Return what is parsed from a list of rows."""
    return read_listing(Reply(status=status, body=encode({"data": rows, **more})))


def read_model(row: Any) -> CatalogModel | None:
    """Return the model in a row."""
    found = read_row(row)
    return found.model if found else None


@pytest.fixture(scope="module")
def models() -> dict[str, CatalogModel]:
    """The catalog of the fake service, parsed."""
    listing = listing_of(default_catalog(date(2026, 11, 22)))
    assert listing is not None
    assert listing.unreadable == []
    return {model.openrouter_id: model for model in listing.models}


def test_catalog_reads_every_row(models: dict[str, CatalogModel]) -> None:
    assert set(models) == {row["id"] for row in default_catalog()}


def test_catalog_requests_all_modalities() -> None:
    request = listing_request()
    assert request.path == "/models?output_modalities=all"
    assert request.bearer is None
    assert request.max_reply_bytes == 20_000_000


def test_catalog_reads_an_ordinary_row(models: dict[str, CatalogModel]) -> None:
    lark = models["meadow/lark-mini"]
    assert (lark.provider, lark.display_name) == ("meadow", "Meadow: Lark Mini")
    assert (lark.context_length, lark.max_tokens) == (65_536, 8_192)
    assert lark.pricing == {"prompt": "0.00000004", "completion": "0.00000016"}
    assert list(lark.supported_parameters) == sorted(lark.supported_parameters)
    assert lark.is_active
    assert lark.missing_since is None


SPECIAL_CASES: dict[str, dict[str, object]] = {
    "openrouter/auto": {"max_tokens": None, "context_length": 2_000_000},
    "openrouter/fusion": {"supported_parameters": ()},
    "juniper/thirds-3x": {
        "pricing": {"prompt": "0.00000008333333333333334", "completion": "0.00000033333333333333334"},
    },
    "northwind/endless": {"context_length": None, "max_tokens": None},
    "northwind/overflow": {"context_length": 32_768, "max_tokens": 65_536},
    "juniper/lesser-host": {"context_length": 262_144, "max_tokens": 131_072},
    "juniper/old-timer:2": {"expiration_date": None, "max_tokens": None},
    "meadow/silent-cap": {"caps_output": False, "tool_calling_supported": True},
    "stealth/bare": {"supported_parameters": (), "caps_output": False},
    "stealth/from-tomorrow": {"input_modalities": ("scent", "text")},
    "northwind/farewell-9999": {"expiration_date": "9999-01-01"},
    "northwind/farewell-soon": {"expiration_date": "2026-11-28"},
    "~meadow/lark-latest": {"provider": "~meadow", "alias_target": "meadow/lark"},
    "anthropic/claude-haiku-4.5": {
        "canonical_slug": "anthropic/claude-4.5-haiku-20251001",
        "web_search_supported": True,
    },
    "juniper/atlas-2.1": {"default_parameters": {}, "vision_supported": True},
    "harbor/tide-flash-1.5": {"default_parameters": {"temperature": 0.7}},
    "deepseek/deepseek-v3.1-terminus": {"default_parameters": {}},
    "northwind/easel-max": {"output_modalities": ("image",), "supported_parameters": ()},
}  # fmt: skip


@pytest.mark.parametrize("openrouter_id", SPECIAL_CASES)
def test_catalog_classifies_each_special_case(models: dict[str, CatalogModel], openrouter_id: str) -> None:
    expected = SPECIAL_CASES[openrouter_id]
    assert {name: getattr(models[openrouter_id], name) for name in expected} == expected


def test_catalog_keeps_conditional_prices_as_strings(models: dict[str, CatalogModel]) -> None:
    (night,) = models["harbor/nightshift"].price_overrides
    assert night == {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000001", "completion": "0.0000004"}
    assert "overrides" not in models["harbor/nightshift"].pricing


def test_catalog_ignores_a_numeric_discount_as_price(models: dict[str, CatalogModel]) -> None:
    assert "discount" not in models["meadow/bargain-bin"].pricing
    assert models["meadow/bargain-bin"].pricing["request"] == "0.0005"


def test_catalog_only_routers_batches_and_other_outputs_are_unusable(
    models: dict[str, CatalogModel],
) -> None:
    unusable = {key for key, model in models.items() if why_unusable(model, OpenRouterInstant().supports)}
    batches = {key for key in models if key.endswith(":batch")}
    without_text = {key for key, model in models.items() if {"text", "image"}.isdisjoint(model.output_modalities)}
    assert len(batches) == 3
    assert len(without_text) == 6
    unknown_price = {"stealth/from-tomorrow"}
    assert unusable == batches | without_text | unknown_price | {"openrouter/auto", "openrouter/fusion"}


def test_catalog_row_does_not_depend_on_list_order() -> None:
    row = next(row for row in default_catalog() if row["id"] == "anthropic/claude-haiku-4.5")
    reordered = {**row, "supported_parameters": [*reversed(row["supported_parameters"]), "temperature"]}
    assert read_model(reordered) == read_model(row)


ORDINARY: dict[str, Any] = {"id": "a/b", "architecture": {"output_modalities": ["text"]}, "pricing": {"prompt": "1"}}


@pytest.mark.parametrize(
    "row",
    [None, [], "a/b", {}, {**ORDINARY, "id": None}, {**ORDINARY, "id": ""}, {**ORDINARY, "id": "alone"},
     {**ORDINARY, "id": f"a/{'b' * 999}"}, {**ORDINARY, "id": f"a/{'ß' * 500}"},
     {**ORDINARY, "id": "a/b/c"}, {**ORDINARY, "id": 7}, {**ORDINARY, "pricing": {}}, {**ORDINARY, "pricing": "1"},
     {**ORDINARY, "architecture": None}, {**ORDINARY, "architecture": {}}],
)  # fmt: skip
def test_catalog_counts_a_row_without_required_fields_as_unreadable(row: object) -> None:
    listing = listing_of([ORDINARY, row])
    assert listing is not None
    assert (len(listing.models), len(listing.unreadable)) == (1, 1)


@pytest.mark.parametrize("slug", [None, "", " ", 7, "ß" * 501])
def test_catalog_ignores_a_slug_unusable_for_lookup(slug: object) -> None:
    model = read_model({**ORDINARY, "canonical_slug": slug})
    assert model is not None
    assert model.canonical_slug == "a/b"
    assert read_model({**ORDINARY, "canonical_slug": "ß" * 500}) == replace(model, canonical_slug="ß" * 500)


def test_catalog_reads_a_row_with_only_required_fields() -> None:
    model = read_model(ORDINARY)
    assert model is not None
    bare = CatalogModel(openrouter_id="a/b", canonical_slug="a/b", display_name="a/b", provider="a")
    assert model == replace(bare, output_modalities=("text",), pricing={"prompt": "1"})


INVALID = [None, 7, True, "text", [], {}, [None, 7, "", " "], {"a": [1.5]}, 1e300, -1]
OPTIONAL = ("canonical_slug", "name", "description", "created", "default_parameters", "expiration_date", "alias_target",
        "reasoning", "links", "benchmarks")  # fmt: skip


@pytest.mark.parametrize("value", INVALID)
def test_catalog_accepts_descriptive_fields_of_any_type(value: object) -> None:
    row = {**ORDINARY, **dict.fromkeys(OPTIONAL, value), "pricing": {"prompt": "1", "discount": value}}
    row["architecture"] = {**ORDINARY["architecture"], "tokenizer": value}
    listing = listing_of([row])
    assert listing is not None
    (model,) = listing.models
    json.dumps([dict(model.default_parameters), dict(model.reasoning)])


COMPUTED: dict[str, tuple[Callable[[Any], dict[str, Any]], list[object]]] = {
    "pricing.overrides": (lambda value: {"pricing": {"prompt": "1", "overrides": value}}, [7, "x", {}, [7], [{}, "x"]]),
    "architecture.input_modalities": (
        lambda value: {"architecture": {"input_modalities": value}},
        [7, "text", {"text": 1}],
    ),
    "architecture.output_modalities": (lambda value: {"architecture": {"output_modalities": value}}, [7, "text", {}]),
    "supported_parameters": (lambda value: {"supported_parameters": value}, [7, "tools", {"tools": 1}, False]),
    "context_length": (lambda value: {"context_length": value}, ["8192", -1, 1.5, True, [8192], {}, 1e300]),
    "top_provider.max_completion_tokens": (
        lambda value: {"top_provider": {"max_completion_tokens": value}},
        ["8192", -1, 1.5, [], {}],
    ),
    "top_provider.context_length": (lambda value: {"top_provider": {"context_length": value}}, ["8192", -1, {}]),
    "top_provider": (lambda value: {"top_provider": value}, ["x", [1], 7]),
    "architecture": (lambda value: {"architecture": value or {"modality": "text"}}, ["text", ["text"], 7, True]),
}
FACTS = {
    "pricing.overrides": {"price_overrides"},
    "top_provider.max_completion_tokens": {"max_tokens"},
    "top_provider.context_length": {"top_context_length"},
    "top_provider": {"max_tokens", "top_context_length", "is_moderated"},
    "architecture": {"input_modalities", "output_modalities"},
}


@pytest.mark.parametrize("name", COMPUTED)
def test_catalog_leaves_out_a_computed_field_of_an_unknown_shape(name: str) -> None:
    change, values = COMPUTED[name]
    without = read(change(None))
    assert (without.left_out, without.unread) == ((), frozenset())
    for value in values:
        found = read(change(value))
        assert found.left_out == (name,), value
        assert found.unread == FACTS.get(name, {name.rpartition(".")[2]}), value
        assert found.model == without.model


def read(change: dict[str, Any]) -> Row:
    """Return the ordinary row with a change."""
    row = read_row({**ORDINARY, **change})
    assert row is not None
    return row


def test_catalog_rejects_a_row_that_is_too_long() -> None:
    assert read_model({**ORDINARY, "description": "x" * 19_000}) is not None
    assert read_model({**ORDINARY, "description": "x" * 20_000}) is None


def test_catalog_measures_only_the_fields_that_it_keeps() -> None:
    long = {"benchmarks": [{"score": "x" * 20_000}], "architecture": {**ORDINARY["architecture"], "note": "x" * 20_000}}
    assert read_model({**ORDINARY, **long}) == read_model(ORDINARY)
    assert read_model({**ORDINARY, "reasoning": {"note": "x" * 20_000}}) is None


@pytest.mark.parametrize("value", [False, "", "per token", [1], {"a": 1}, [{"up_to": 1000, "prompt": "0.1"}]])
def test_catalog_leaves_out_an_unknown_price_key_that_is_no_amount(value: object) -> None:
    found = read({"pricing": {"prompt": "1", "tiers": value}})
    assert (found.left_out, found.unread) == (("pricing.tiers",), frozenset())
    assert found.model.pricing == {"prompt": "1"}


@pytest.mark.parametrize(("value", "kept"), [("0.01", "0.01"), (0, "0"), ("-1", "-1"), (Decimal("0.5"), "0.5")])
def test_catalog_keeps_an_unknown_amount(value: object, kept: str) -> None:
    found = read({"pricing": {"prompt": "1", "video": value}})
    assert (found.left_out, found.model.pricing) == ((), {"prompt": "1", "video": kept})


@pytest.mark.parametrize(
    ("value", "kept"),
    [(True, "true"), ("cheap", "cheap"), ("", "?"), ("NaN", "NaN"), ([1], "[1]"), ({"usd": "1"}, '{"usd": "1"}'),
     ("1e400", "1e400"), ("x" * 500, "x" * 100)],
)  # fmt: skip
def test_catalog_keeps_a_known_price_that_is_no_amount_as_text(value: object, kept: str) -> None:
    found = read({"pricing": {"prompt": "1", "completion": "1", "image": value}})
    assert (found.left_out, found.unread) == (("pricing.image",), frozenset())
    assert found.model.pricing["image"] == kept
    assert unreckoned(found.model) == ("image",)


@pytest.mark.parametrize("change", [{"currency": "USD"}, {"pricing": {"prompt": "1", "currency": " usd "}}])
def test_catalog_accepts_prices_in_usd(change: dict[str, Any]) -> None:
    assert read(change).model.pricing == {"prompt": "1"}


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "EUR"},
        {"pricing": {"prompt": "1", "currency": "EUR"}},
        {"pricing": {"prompt": "1", "currency": {"code": "USD"}}},
        {"pricing": {"prompt": "1", "overrides": [{"prompt": "2", "currency": "EUR"}]}},
    ],
)
def test_catalog_skips_rows_in_another_currency(change: dict[str, Any]) -> None:
    with pytest.raises(RowSkipped, match="USD"):
        read(change)


def nested(depth: int) -> str:
    """Return JSON of nested arrays."""
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "value",
    [
        nested(33),
        nested(400),
        nested(100_000),
        '{"a":' * 900 + "1" + "}" * 900,
        "9" * 5_000,
        "NaN",
        "1" * 999 + ".5",
        "1e999",
        "-1e999",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    ],
)
def test_catalog_skips_a_row_with_a_value_that_cannot_be_kept(value: str) -> None:
    good = encode(ORDINARY).decode()
    row = good[:-1].replace("a/b", "a/deep") + f', "x": {{"]}}\\"[": {value}}}}}'
    listing = read_listing(Reply(status=200, body=f'{{"data": [{row}, {good}], "total_count": 2}}'.encode()))
    assert listing is not None
    assert [model.openrouter_id for model in listing.models] == ["a/b"]
    assert (listing.unreadable, [name for name, _ in listing.skipped]) == ([], ["a/deep"])


def test_catalog_reads_a_row_nested_less_deep() -> None:
    body = f'{{"data": [{encode(ORDINARY).decode()[:-1]}, "x": {nested(31)}}}]}}'
    listing = read_listing(Reply(status=200, body=body.encode()))
    assert listing is not None
    assert len(listing.models) == 1


def test_catalog_converts_a_numeric_price_to_text() -> None:
    listing = listing_of([{**ORDINARY, "pricing": {"prompt": 0.0000001, "image": 2, "discount": 0.25}}])
    assert listing is not None
    (model,) = listing.models
    assert (model.pricing, model.discount) == ({"prompt": "0.0000001", "image": "2"}, "0.25")


def test_catalog_keeps_nested_numbers_storable_as_json() -> None:
    row = {
        **ORDINARY,
        "default_parameters": {"reasoning": {"share": 0.5, "steps": [0.25]}},
        "pricing": {"prompt": "1", "overrides": [{"when": {"share": 0.10}, "prompt": 0.0000001}]},
    }
    listing = listing_of([row])
    assert listing is not None
    (model,) = listing.models
    assert model.default_parameters == {"reasoning": {"share": 0.5, "steps": [0.25]}}
    assert json.loads(json.dumps(model.price_overrides)) == [{"when": {"share": "0.1"}, "prompt": "0.0000001"}]


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"[]", b"null", b'{"data": {}}', b'{"data": null}', b'{"error": 1}', b'{"data": [']
)
def test_catalog_rejects_a_body_that_is_not_a_list(body: bytes) -> None:
    assert read_listing(Reply(status=200, body=body)) is None


@pytest.mark.parametrize("status", [204, 304, 401, 429, 500, 524])
def test_catalog_rejects_other_statuses_with_any_body(status: int) -> None:
    assert listing_of([ORDINARY], status) is None


def test_catalog_follows_page_links_by_path_only() -> None:
    listing = listing_of(
        [ORDINARY], total_count=700, links={"next": "/api/v1/models?output_modalities=all&offset=500&limit=500"}
    )
    assert listing is not None
    assert listing.next_path == "/models?output_modalities=all&offset=500&limit=500"
    assert listing.total == 700
    assert listing_request(listing.next_path).path == listing.next_path
    assert listing_request(listing.next_path).base_url == listing_request().base_url


@pytest.mark.parametrize("link", ["https://elsewhere.example/key", "/api/v1/key", "/models", "/api/v1/models/../key?x"])
def test_catalog_rejects_a_list_with_an_unexpected_link(link: str) -> None:
    assert listing_of([ORDINARY], links={"next": link}) is None


@pytest.mark.parametrize("links", [None, {}, {"next": None}, {"next": ""}, {"next": 7}, []])
def test_catalog_ends_without_a_next_link(links: object) -> None:
    listing = listing_of([ORDINARY], links=links)
    assert listing is not None
    assert listing.next_path is None


@given(st.binary(max_size=200))
def test_catalog_accepts_any_bytes_without_crashing(body: bytes) -> None:
    assert read_listing(Reply(status=200, body=body)) is None


@pytest.mark.parametrize("depth", [33, 400, 3_000, 200_000])
def test_catalog_omits_only_the_row_that_is_nested_too_deeply(depth: int) -> None:
    good, deep = json.dumps(a_row("a/good")), json.dumps(a_row("a/deep"))
    for nested in ("[" * depth + "]" * depth, '{"k":' * depth + "1" + "}" * depth):
        for name in ("reasoning", "default_parameters", "unknown"):
            rows = f'[{good}, {deep[:-1]}, "{name}": {nested}}}, {good}]'
            listing = read_listing(Reply(status=200, body=f'{{"data": {rows}}}'.encode()))
            assert listing is not None
            assert [model.openrouter_id for model in listing.models] == ["a/good", "a/good"]
            assert [name for name, _ in listing.skipped] == ["a/deep"]


def test_catalog_replaces_lone_surrogates_in_a_row() -> None:
    row = a_row("a/b", name="B \ud83d", description="\udc00", reasoning={"\ud83d": ["\ud83d"]})
    listing = read_listing(Reply(status=200, body=json.dumps({"data": [row]}).encode()))
    assert listing is not None
    (model,) = listing.models
    assert (model.display_name, model.description, model.reasoning) == ("B ?", "?", {"?": ["?"]})


def a_row(model_id: str, **more: object) -> dict[str, object]:
    """A row with the required fields."""
    pricing = {"prompt": "0.1", "completion": "0.2"}
    return {"id": model_id, "architecture": {"output_modalities": ["text"]}, "pricing": pricing, **more}
