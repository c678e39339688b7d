"""A prepared execution is plain data: it survives JSON, holds no key, and large bodies are stored separately."""

import json
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from instant.domain.exchange import Request
from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import MAX_INLINE_BYTES, Prepared, ServingModel, dump, load
from instant.domain.secret import Secret
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from tests.fakes.builders import a_prepared


def with_body(size: int) -> Prepared:
    """Return an execution with a request body of this size."""
    request = Request(method="POST", integration="openrouter", path="/x", body=b"\xff" * size, headers={"A": "b"})
    return a_prepared(plan=Plan(request=request, worst_nanousd=5, options={"wants_json": True}, seconds_to_keep=1.5))


@pytest.mark.parametrize("size", [0, 1, MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1, 5_000_000])
def test_load_restores_a_dumped_execution(size: int) -> None:
    prepared = with_body(size)
    text, large = dump(prepared)
    assert load(text, large.__getitem__) == prepared
    assert bool(large) is (size > MAX_INLINE_BYTES)
    assert len(text) < 2 * MAX_INLINE_BYTES


def test_load_restores_all_fields_and_absent_ones() -> None:
    full = a_prepared(
        api_key_id="key_1",
        fingerprint="f" * 64,
        budgets=(Budget(subject=Subject(BudgetScope.USER, "user_1"), daily_nanousd=7),),
        models=(ServingModel(openrouter_id="a/b", canonical_slug="a/b", pricing={"prompt": "0.1"}),),
    )
    minimal = a_prepared(
        credential=None, models=(), plan=Plan(request=Request(method="GET", path="/"), worst_nanousd=0)
    )
    for prepared in (full, minimal):
        assert load(*dump(prepared)[:1], fetch=lambda name: b"") == prepared


def test_prepared_records_prices_as_decimal_text() -> None:
    model = ServingModel(
        openrouter_id="a/b", canonical_slug="a/b", pricing={}, price_overrides=({"prompt": Decimal("0.10")},)
    )
    found = load(dump(a_prepared(models=(model,)))[0], fetch=lambda name: b"")
    assert found.models[0].price_overrides == ({"prompt": "0.10"},)


def test_prepared_holds_no_callable_and_no_clock() -> None:
    assert callables(with_body(1)) == []
    assert not any(name in dump(with_body(1))[0] for name in ("deadline", "seconds_left", "created_at", "now"))


def callables(value: Any) -> list[Any]:
    """Return every callable in a value and its fields."""
    if is_dataclass(value):
        return [found for field in fields(value) for found in callables(getattr(value, field.name))]
    return [value] if callable(value) else []


def test_dump_fails_with_a_key_in_the_request() -> None:
    prepared = a_prepared()
    keyed = replace(prepared.plan, request=replace(prepared.plan.request, bearer=Secret("sk-or-v1-canary")))
    with pytest.raises(TypeError):
        dump(replace(prepared, plan=keyed))


def test_prepared_dump_names_the_credential_by_hash() -> None:
    facts = json.loads(dump(a_prepared())[0])["credential"]
    assert facts == {
        "integration": "openrouter",
        "user_id": "user_alice",
        "source": "caller",
        "ciphertext_sha256": "0" * 64,
    }
