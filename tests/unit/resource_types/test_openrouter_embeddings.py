"""`openrouter_embeddings`: the inputs it rejects, the request it sends, and its maximum cost."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import HIDDEN_PROMPT_TOKENS
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_EMBEDDED_BYTES, MAX_EMBEDDED_FLOATS, MAX_EMBEDDED_TEXTS
from instant.resource_types.openrouter_embeddings import TOKENS_PER_TEXT, EmbeddingSettings, OpenRouterEmbeddings
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model

TYPE = OpenRouterEmbeddings()
NANO = 10**9
PRICES = st.decimals(min_value=0, max_value=Decimal("0.001"), places=23).map("{:f}".format)


def an_embedder(**more: Any) -> CatalogModel:
    """Return an embeddings model."""
    facts: dict[str, Any] = {
        "output_modalities": ("embeddings",),
        "supported_parameters": (),
        "context_length": 8_192,
        "max_tokens": None,
        "pricing": {"prompt": "0.00000002", "completion": "0"},
    }
    return a_model(**({"openrouter_id": "north/embed"} | facts | more))


def planned(
    given: object = "Hi.",
    config: dict[str, Any] | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    model: CatalogModel | None = None,
    **more: Any,
) -> Plan:
    """Return the plan of a call."""
    facts: dict[str, Any] = {"cap_nanousd": NANO, "user": "hash-of-a-user", "models": [model or an_embedder()], **more}
    call = Call(config={"model": "north/embed", **(config or {})}, inputs={"input": given, **(inputs or {})}, **facts)
    return TYPE.plan(call)


def body_of(plan: Plan) -> Any:
    """Return the request body of a plan."""
    return json.loads(plan.request.body or b"")


def test_embeddings_plan_sends_texts_settings_and_a_price_limit() -> None:
    config = {"dimensions": 64, "input_type": "search_query", "provider": {"zdr": True, "only": ["north"]}}
    plan = planned(["One.", "Two."], config)
    assert body_of(plan) == {
        "model": "north/embed",
        "input": ["One.", "Two."],
        "dimensions": 64,
        "input_type": "search_query",
        "encoding_format": "base64",
        "user": "hash-of-a-user",
        "provider": {
            "zdr": True,
            "only": ["north"],
            "max_price": body_of(plan)["provider"]["max_price"],
        },
    }
    assert {"prompt", "completion", "request"} == set(body_of(plan)["provider"]["max_price"])
    hidden = {"user", "encoding_format"}
    assert plan.preview == {
        **{name: value for name, value in body_of(plan).items() if name not in hidden},
        "provider": config["provider"],
    }


def test_embeddings_plan_sends_one_text_as_a_list() -> None:
    plan = planned("Hi.")
    assert body_of(plan)["input"] == ["Hi."]
    assert plan.options["texts"] == 1
    assert set(plan.preview) == {"model", "input"}


@pytest.mark.parametrize(
    ("inputs", "field", "problem"),
    [
        ({}, "inputs.input", "is required"),
        ({"input": ""}, "inputs.input.0", "at least 1 character"),
        ({"input": []}, "inputs.input", "at least 1 item"),
        ({"input": ["a", ""]}, "inputs.input.1", "at least 1 character"),
        ({"input": [1, 2, 3]}, "inputs.input", "tokens are not supported"),
        ({"input": [[1, 2], [3]]}, "inputs.input", "tokens are not supported"),
        ({"input": ["a", [1]]}, "inputs.input", "tokens are not supported"),
        ({"input": [{"content": []}]}, "inputs.input.0", "valid string"),
        ({"input": None}, "inputs.input", "a text or a list of texts"),
        ({"input": 7}, "inputs.input", "a text or a list of texts"),
        ({"input": "a", "encoding_format": "hex"}, "inputs.encoding_format", "'float' or 'base64'"),
        ({"input": "a", "dimensions": 3}, "inputs.dimensions", "not a known field"),
        ({"input": ["x" * MAX_EMBEDDED_BYTES, "y"]}, "inputs.input", f"{MAX_EMBEDDED_BYTES} are allowed"),
        ({"input": "ä" * (MAX_EMBEDDED_BYTES // 2 + 1)}, "inputs.input", f"{MAX_EMBEDDED_BYTES} are allowed"),
        ({"input": ["x"] * (MAX_EMBEDDED_TEXTS + 1)}, "inputs.input", f"at most {MAX_EMBEDDED_TEXTS} items"),
        ({"input": ["x"] * (MAX_EMBEDDED_FLOATS + 1)}, "inputs.input", "require encoding_format base64"),
    ],
)
def test_embeddings_inputs_are_rejected_by_name(inputs: dict[str, Any], field: str, problem: str) -> None:
    call = Call(config={"model": "a/b"}, inputs=inputs, models=[an_embedder()], cap_nanousd=NANO, user="u")
    with pytest.raises(InvalidField) as caught:
        TYPE.plan(call)
    assert caught.value.details["field"] == field
    assert problem in caught.value.message


def test_embeddings_limits_are_inclusive() -> None:
    assert planned("x" * MAX_EMBEDDED_BYTES).options["as_base64"] is False
    assert planned(["x"] * MAX_EMBEDDED_FLOATS).options["texts"] == MAX_EMBEDDED_FLOATS
    assert planned(["x"] * MAX_EMBEDDED_TEXTS, inputs={"encoding_format": "base64"}).options["as_base64"] is True


def test_embeddings_schema_names_both_forms_and_the_limits() -> None:
    schema = TYPE.inputs_schema()
    text, texts = schema["properties"]["input"]["anyOf"]
    assert (text["type"], texts["maxItems"], schema["required"]) == ("string", MAX_EMBEDDED_TEXTS, ["input"])


@pytest.mark.parametrize(
    "config",
    [
        {"dimensions": 0},
        {"dimensions": "64"},
        {"input_type": "a b"},
        {"provider": {"max_price": {"prompt": "1"}}},
        {"overridable": ["model"]},
        {"temperature": 1},
        {"model": "@preset/mine"},
    ],
)
def test_embeddings_settings_reject_invalid_values(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmbeddingSettings.model_validate({"model": "a/b", **config})


def test_embeddings_overrides_replace_what_the_owner_allows() -> None:
    config = {"dimensions": 64, "overridable": ["dimensions", "input_type"], "provider": {"zdr": True}}
    plan = planned("Hi.", config, overrides={"dimensions": 32, "input_type": "search_query"})
    assert (body_of(plan)["dimensions"], body_of(plan)["input_type"]) == (32, "search_query")
    assert plan.options["dimensions"] == 32
    assert body_of(plan)["provider"]["zdr"] is True


@pytest.mark.parametrize(
    ("overridable", "overrides", "problem"),
    [
        (None, {"dimensions": 32}, "allowed overrides: none"),
        (["input_type"], {"dimensions": 32}, "allowed overrides: input_type"),
        (["dimensions"], {"model": "a/b"}, "allowed overrides: dimensions"),
        (["dimensions"], {"dimensions": None}, "cannot be null"),
        (["dimensions"], {"dimensions": 0}, "greater than or equal to 1"),
    ],
)
def test_embeddings_overrides_are_rejected_by_name(
    overridable: list[str] | None, overrides: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        planned("Hi.", {"overridable": overridable}, overrides=overrides)
    assert caught.value.details["field"] == f"overrides.{next(iter(overrides))}"
    assert problem in caught.value.message


def test_embeddings_client_of_openai_sets_dimensions_that_the_owner_left_open() -> None:
    overrides = {"dimensions": 32, "input_type": None}
    assert planned(compatible=True, overrides=overrides).options["dimensions"] == 32
    closed: list[dict[str, Any]] = [{"dimensions": 64}, {"overridable": []}]
    for config in closed:
        with pytest.raises(InvalidField):
            planned("Hi.", config, compatible=True, overrides=overrides)


UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    ({"output_modalities": ("text",)}, "makes no embeddings"),
    ({"input_modalities": ("image",)}, "cannot embed text"),
    ({"openrouter_id": "a/b:batch"}, "only served in batches"),
    ({"pricing": {}}, "no price of its own"),
    ({"pricing": {"prompt": "-1", "completion": "-1"}}, "no price of its own"),
    ({"pricing": {"prompt": "NaN"}}, "no price of its own"),
    ({"pricing": {"prompt": "1", "embedding": "0.01"}}, "(embedding)"),
]


@pytest.mark.parametrize(("changes", "reason"), UNSUPPORTED)
def test_embeddings_type_says_why_it_cannot_use_a_model(changes: dict[str, Any], reason: str) -> None:
    assert reason in str(TYPE.supports(an_embedder(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pricing": {"prompt": "0.1"}},
        {"pricing": {"prompt": "0", "completion": "0"}},
        {"input_modalities": ()},
        {"input_modalities": ("image", "text")},
        {"context_length": None},
    ],
)
def test_embeddings_type_uses_embeddings_models(changes: dict[str, Any]) -> None:
    assert TYPE.supports(an_embedder(**changes)) is None


def test_embeddings_worst_case_counts_every_byte_of_all_texts() -> None:
    texts = ["x" * 8_000, "ä" * 4_000]  # together longer than the model's context
    tokens = 16_000 + 2 * TOKENS_PER_TEXT + HIDDEN_PROMPT_TOKENS
    assert planned(texts).worst_nanousd == tokens * 20
    priced = an_embedder(pricing={"prompt": "0.00000002", "request": "0.001"}, context_length=None)
    assert planned(texts, model=priced).worst_nanousd == tokens * 20 + 1_000_000


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=20),
    st.dictionaries(st.sampled_from(["prompt", "completion", "request", "input_cache_read"]), PRICES),
    st.none() | st.integers(1, 10_000),
    st.data(),
)
def test_embeddings_worst_case_bounds_every_call(
    texts: list[str], pricing: dict[str, str], context: int | None, data: st.DataObject
) -> None:
    model = an_embedder(pricing=pricing, context_length=context)
    tokens = sum(data.draw(st.integers(0, len(text.encode()) + TOKENS_PER_TEXT), "tokens") for text in texts)
    price = {key: Fraction(value) for key, value in pricing.items()}
    each = max(price.get("prompt", Fraction()), price.get("input_cache_read", Fraction()))
    plan = planned(texts, model=model, at_catalog_prices=True)
    assert (each * tokens + price.get("request", Fraction())) * NANO <= plan.worst_nanousd


@given(st.lists(st.text("ab ä", min_size=1), min_size=1, max_size=20), PRICES, st.integers(0, NANO))
def test_embeddings_price_limits_keep_any_provider_within_the_cap(texts: list[str], usd: str, room: int) -> None:
    model = an_embedder(pricing={"prompt": usd, "completion": "0"})
    cap = planned(texts, model=model).worst_nanousd + room
    limits = body_of(planned(texts, model=model, cap_nanousd=cap))["provider"]["max_price"]
    tokens = sum(len(text.encode()) + TOKENS_PER_TEXT for text in texts)
    assert Fraction(limits["prompt"]) / 10**6 * tokens * NANO <= cap
    assert Fraction(limits["prompt"]) / 10**6 >= Fraction(usd) - Fraction(1, 10**15)


def test_embeddings_badges_say_what_callers_can_do() -> None:
    free = an_embedder(pricing={"prompt": "0", "completion": "0"})
    assert list(TYPE.badges({"overridable": ["dimensions"]}, free)) == ["customizable", "free"]
    assert list(TYPE.badges({}, an_embedder())) == []
    assert list(TYPE.badges({}, None)) == []
