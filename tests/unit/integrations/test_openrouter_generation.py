"""The outcome of a call is read from OpenRouter's record of it."""

import json
from typing import Any

import pytest

from instant.domain.exchange import Reply
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
