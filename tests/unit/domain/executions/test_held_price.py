"""A held price explains only refusals that the price limit can have caused."""

import json
from typing import Any

import pytest

from instant.domain.exchange import Reply
from instant.domain.executions.failure import Failure
from instant.domain.executions.held_price import explain_held_price
from instant.domain.executions.prepared import ServingModel
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.integrations.openrouter.errors import failure_of
from tests.fakes.builders import a_prepared

HELD = ServingModel(openrouter_id="meadow/lark", canonical_slug="meadow/lark", pricing={}, price_held={"prompt": "0.1"})
BUDGET = Budget(subject=Subject(BudgetScope.USER, "user_alice"), daily_nanousd=10**9)


def refused(message: str, **more: Any) -> Failure:
    """Return the failure of a refusal by OpenRouter with status 404."""
    body = {"error": {"code": 404, "message": message, **more}}
    return failure_of(Reply(status=404, body=json.dumps(body).encode()))


def explained(failure: Failure) -> Failure:
    """Return the failure of a call under a budget for a model whose price is held."""
    return explain_held_price(failure, a_prepared(models=(HELD,), budgets=(BUDGET,)))


@pytest.mark.parametrize(
    ("message", "availability"),
    [
        ("No endpoints found for meadow/lark.", None),
        ("No endpoints found.", None),
        ("No endpoints found at this price.", None),
        ("No endpoints found.", {"code": "constraint_filtered", "constraint": "max_price"}),
    ],
)
def test_held_price_explains_refusals_of_the_price_limit(message: str, availability: Any) -> None:
    failure = refused(message, availability=availability)
    found = explained(failure)
    assert found.error.details["price_held"] == {"prompt": "0.1"}
    assert (found.is_counted, found.receipt, found.effect) == (failure.is_counted, failure.receipt, failure.effect)


@pytest.mark.parametrize(
    ("message", "availability"),
    [
        ("No endpoints found matching your data policy", None),
        ("No allowed providers are available for the selected model.", None),
        ("This model is only available in an agentic harness", None),
        ("No endpoints found that support image input", None),
        ("No endpoints found that support tool use", None),
        ("No endpoints found that can handle the requested parameters.", None),
        ("meadow/lark is not a valid model ID", None),
        ("No endpoints found.", {"code": "constraint_filtered", "constraint": "zdr"}),
    ],
)
def test_held_price_keeps_refusals_for_other_reasons(message: str, availability: Any) -> None:
    failure = refused(message, availability=availability)
    assert explained(failure) is failure
