"""The outcome of a call is read from OpenRouter's record of it."""

import json
from typing import Any

import pytest

from instant.domain.exchange import Reply
from instant.integrations.openrouter.cost import read_cost, reports_cost
from instant.integrations.openrouter.generation import read_outcome

ATTEMPTS: list[tuple[object, str | None]] = [
    (None, "Named"),
    ([], "Named"),
    ("all", "Named"),
    ([{"provider_name": "First", "status": 429}], "Named"),
    ([{"provider_name": "First", "status": 429}, {"provider_name": "Second", "status": 200}], "Second"),
    ([{"provider_name": "First", "status": 200}, {"provider_name": "Second", "status": 200}], "Second"),
    ([{"provider_name": "First", "status": 200}, {"provider_name": None, "status": 200}, 7], "First"),
    ([{"provider_name": "First", "status": 200}, {"provider_name": "Second", "status": 502}], "First"),
]


@pytest.mark.parametrize(("attempts", "provider"), ATTEMPTS)
def test_outcome_names_the_provider_whose_attempt_succeeded(attempts: object, provider: str) -> None:
    data: dict[str, Any] = {
        "id": "gen-1",
        "total_cost": 0.5,
        "finish_reason": "stop",
        "provider_name": "Named",
        "provider_responses": attempts,
    }
    outcome = read_outcome(Reply(status=200, body=json.dumps({"data": data}).encode()))
    assert outcome is not None
    assert outcome.receipt.provider == provider


RECORD = {"id": "gen-1", "total_cost": 0.001, "finish_reason": "stop"}
BILL_PARTS = {"upstream_inference_prompt_cost": 0.0008, "upstream_inference_completions_cost": 0.0004}


def record(**more: Any) -> Reply:
    """A 200 with the record of an answered call."""
    return Reply(status=200, body=json.dumps({"data": {**RECORD, **more}}).encode())


@pytest.mark.parametrize(
    ("more", "cost"),
    [
        ({}, 1_000_000),
        ({"total_cost": "0.001"}, 1_000_000),
        ({"is_byok": False, "upstream_inference_cost": 0.02}, 1_000_000),
        ({"is_byok": True, "upstream_inference_cost": 0.02}, 21_000_000),
        ({"is_byok": True, "upstream_inference_cost": 0}, 1_000_000),
        ({"is_byok": True, "upstream_inference_cost": None, **BILL_PARTS}, 2_200_000),
        ({"is_byok": True, "cost_details": BILL_PARTS}, 2_200_000),
        ({"is_byok": True, "upstream_inference_cost": None}, None),
        ({"is_byok": True, "upstream_inference_prompt_cost": 0.0008}, None),
        ({"is_byok": True, "upstream_inference_cost": "1_000"}, None),
    ],
)
def test_outcome_cost_is_the_whole_bill_or_unknown(more: dict[str, Any], cost: int | None) -> None:
    outcome = read_outcome(record(**more))
    assert outcome is not None
    assert (outcome.receipt.cost_nanousd, outcome.was_answered) == (cost, True)


@pytest.mark.parametrize("total", [None, "1_000", "\u0661", -1, True, 1e13])
def test_outcome_without_a_readable_total_is_not_known(total: object) -> None:
    assert read_outcome(record(total_cost=total)) is None


@pytest.mark.parametrize("flag", [True, 1, "true", "yes"])
def test_missing_bill_of_an_own_provider_key_is_unknown(flag: object) -> None:
    assert read_cost(0, is_byok=flag, details={}) is None
    assert reports_cost({"is_byok": flag})


@pytest.mark.parametrize("flag", [None, False, 0, ""])
def test_cost_without_an_own_provider_key_is_the_total(flag: object) -> None:
    assert read_cost("0.000002", is_byok=flag, details={}) == 2_000
