"""Prepared calls of each resource type survive JSON with their media; keys and other objects are rejected."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from instant.domain.catalog.pricing import recomputed_nanousd
from instant.domain.executions.execution import KeySource
from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import MAX_INLINE_BYTES, Prepared, ServingModel, dump, load
from instant.domain.executions.token_usage import Usage
from instant.domain.secret import Secret
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model, a_prepared, a_receipt

BUDGETS = (
    Budget(subject=Subject(BudgetScope.USER, "user_alice"), daily_nanousd=10**9),
    Budget(subject=Subject(BudgetScope.GLOBAL), daily_nanousd=0, monthly_nanousd=2**60),
)
MODELS = (
    ServingModel(
        openrouter_id="meadow/lark-mini",
        canonical_slug="meadow/lark-mini-2026",
        pricing={"prompt": "0.00000008333333333333334", "completion": "0"},
        price_overrides=({"min_prompt_tokens": 200_000, "prompt": "0.1"}, {"utc_start": 100, "utc_end": 200}),
    ),
    ServingModel(openrouter_id="meadow/lark", canonical_slug="meadow/lark", pricing={}),
)

SCHEMA = {
    "type": "object",
    "properties": {"words": {"type": "string"}, "picture": {"type": "string", "format": "image"}},
    "required": ["words", "picture"],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "openrouter_instant": {"max_tokens": 50, "response_format": {"type": "json_object"}},
    "prompt_template": {"template": "Describe {{words}}.", "input_schema": SCHEMA},
}


def planned(resource_type: str, image_bytes: int) -> Plan:
    """Return the plan of a call of this type with an image of this size."""
    url = f"data:image/png;base64,{b64encode(b'x' * image_bytes).decode()}"
    inputs: dict[str, dict[str, Any]] = {
        "openrouter_instant": {"prompt": "What is it? Żółć", "images": [url]},
        "prompt_template": {"words": "it", "picture": url},
    }
    call = Call(
        config={"model": "meadow/lark-mini", **SETTINGS[resource_type]},
        inputs=inputs[resource_type],
        models=[a_model(input_modalities=("text", "image"), supported_parameters=("max_tokens", "response_format"))],
        cap_nanousd=10**9,
        user="hash-of-a-user",
        overrides={"temperature": 1},
        compatible=True,
    )
    return replace(RESOURCE_TYPES[resource_type].plan(call), preview={})


@pytest.fixture(params=SETTINGS)
def large(request: pytest.FixtureRequest) -> Prepared:
    """An execution with more than 100 KB of media."""
    kind = request.param
    return a_prepared(resource_type=kind, plan=planned(kind, MAX_INLINE_BYTES), budgets=BUDGETS, models=MODELS)


def loaded(prepared: Prepared) -> Prepared:
    """Return the execution after a round trip."""
    text, stored = dump(prepared)
    return load(text, stored.__getitem__)


def parts(value: object) -> Iterator[object]:
    """Yield the value and everything in it."""
    yield value
    if is_dataclass(value):
        inner: Any = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    else:
        inner = value if isinstance(value, (tuple, list)) else ()
    for part in inner:
        yield from parts(part)


def test_load_restores_a_call_with_large_media(large: Prepared) -> None:
    body = large.plan.request.body
    assert body is not None
    text, stored = dump(large)
    assert stored == {sha256(body).hexdigest(): body}
    assert len(text) < 5_000 < MAX_INLINE_BYTES < len(body)
    assert load(text, stored.__getitem__) == large


@pytest.mark.parametrize("size", [0, 1, MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1])
def test_dump_stores_only_bodies_over_the_limit_separately(size: int) -> None:
    plan = a_prepared().plan
    prepared = a_prepared(plan=replace(plan, request=replace(plan.request, body=b"\xff" * size)))
    text, stored = dump(prepared)
    assert bool(stored) is (size > MAX_INLINE_BYTES)
    assert len(text) < 2 * MAX_INLINE_BYTES
    assert load(text, stored.__getitem__) == prepared


@pytest.mark.parametrize("resource_type", SETTINGS)
def test_load_restores_small_media_from_the_text(resource_type: str) -> None:
    prepared = a_prepared(resource_type=resource_type, plan=planned(resource_type, 30))
    text, stored = dump(prepared)
    assert stored == {}
    assert load(text, stored.__getitem__) == prepared


def test_load_restores_the_type_of_each_part(large: Prepared) -> None:
    again = loaded(large)
    assert [type(part) for part in parts(again)] == [type(part) for part in parts(large)]
    assert again.credential
    assert again.credential.source is KeySource.CALLER
    assert [budget.subject.scope for budget in again.budgets] == [BudgetScope.USER, BudgetScope.GLOBAL]


def test_load_distinguishes_no_body_from_an_empty_one() -> None:
    plan = a_prepared().plan
    for body in (None, b""):
        prepared = a_prepared(plan=replace(plan, request=replace(plan.request, method="GET", body=body)))
        assert loaded(prepared).plan.request.body == body


@pytest.mark.parametrize(
    "changes",
    [
        {"credential": None, "models": ()},
        {"fingerprint": "f" * 64, "api_key_id": "key_1"},
        {"plan": replace(a_prepared().plan, options={"wants_json": True, "deep": {"list": [1, None, "ż", 0.5]}})},
        {"plan": replace(a_prepared().plan, worst_nanousd=2**70, seconds_to_keep=12.5)},
        {
            "plan": replace(
                a_prepared().plan,
                request=replace(
                    a_prepared().plan.request,
                    integration=None,
                    base_url="https://service.example",
                    headers={"A": "b"},
                    id_header="x-id",
                    spends=False,
                    generation_id="gen-1",
                    max_reply_bytes=7,
                ),
            )
        },
    ],
    ids=["no key, no model", "idempotent", "options", "large numbers", "absolute URL"],
)
def test_load_restores_every_field(changes: dict[str, Any]) -> None:
    prepared = a_prepared(**changes)
    assert loaded(prepared) == prepared


def test_dump_keeps_prices_exact() -> None:
    price = Decimal("0.00000008333333333333334")
    tiers = ({"min_prompt_tokens": Decimal(10), "prompt": price},)
    prepared = a_prepared(models=(replace(MODELS[0], price_overrides=tiers),))
    again = loaded(prepared)
    assert again.models[0].price_overrides == ({"min_prompt_tokens": "10", "prompt": str(price)},)
    receipt = a_receipt(usage=Usage(prompt_tokens=1_000_000_000, completion_tokens=1))
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    costs = [recomputed_nanousd(each.models, receipt, noon) for each in (prepared, again)]
    assert costs[0] == costs[1] == 83_333_333_334


def test_prepared_contains_neither_a_key_nor_a_callable(large: Prepared) -> None:
    assert [part for part in parts(large) if isinstance(part, Secret) or callable(part)] == []
    assert json.loads(dump(large)[0])["plan"]["request"]["bearer"] is None


def test_dump_contains_no_time_and_names_the_credential_by_hash(large: Prepared) -> None:
    text = dump(large)[0]
    assert [name for name in ("deadline", "seconds_left", "created_at", "now") if f'"{name}"' in text] == []
    assert json.loads(text)["credential"] == {
        "integration": "openrouter",
        "user_id": "user_alice",
        "source": "caller",
        "ciphertext_sha256": "0" * 64,
    }


@pytest.mark.parametrize("place", ["request", "options"])
def test_dump_rejects_a_key(place: str) -> None:
    plan, key = a_prepared().plan, Secret("sk-or-v1-canary")
    wrong = {
        "request": replace(plan, request=replace(plan.request, bearer=key)),
        "options": replace(plan, options={"key": key}),
    }
    with pytest.raises(TypeError) as caught:
        dump(a_prepared(plan=wrong[place]))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "value", [lambda: None, object(), b"bytes", {1, 2}], ids=["function", "object", "bytes", "set"]
)
def test_dump_rejects_values_that_are_not_json(value: object) -> None:
    with pytest.raises(TypeError):
        dump(a_prepared(plan=replace(a_prepared().plan, options={"value": value})))


def test_load_fails_if_the_body_is_missing(large: Prepared) -> None:
    text, _ = dump(large)
    with pytest.raises(KeyError):
        load(text, dict[str, bytes]().__getitem__)
