"""The outcome of a call without a response, looked up later by its generation id."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from instant.domain.exchange import Reply, Request
from instant.domain.executions.outcome import CallOutcome
from instant.domain.executions.receipt import Receipt
from instant.domain.money import parse_bill
from instant.integrations.openrouter.cost import read_cost
from instant.integrations.openrouter.parsing import NAME, count, mapping, parse, sequence, text


def outcome_request(generation_id: str) -> Request:
    """Request the record of one call; it is available after some seconds, to the key that made the call."""
    return Request(method="GET", integration=NAME, path=f"/generation?id={quote(generation_id, safe='')}")


def read_outcome(reply: Reply) -> CallOutcome | None:
    """The outcome and the cost of the call; None if they are not known, or not known yet.

    The record is complete when it has a total. With the account's own provider key, the provider's bill can be missing
    for good: the outcome is known then, and the cost is not.
    """
    data = mapping(mapping(parse(reply)).get("data"))
    if reply.status != 200 or parse_bill(data.get("total_cost")) is None:
        return None
    finish_reason = text(data.get("finish_reason"))
    receipt = Receipt(
        generation_id=text(data.get("id")),
        model=text(data.get("model")),
        provider=_provider(data),
        finish_reason=finish_reason,
        prompt_tokens=_tokens(data, "prompt"),
        completion_tokens=_tokens(data, "completion"),
        cost_nanousd=read_cost(
            data.get("total_cost"),
            is_byok=data.get("is_byok"),
            details={
                **mapping(data.get("cost_details")),
                **{name: fact for name, fact in data.items() if fact is not None},
            },
        ),
    )
    return CallOutcome(receipt, was_answered=finish_reason not in {None, "error"} and data.get("cancelled") is not True)


def _provider(data: Mapping[str, Any]) -> str | None:
    """The provider whose attempt succeeded, the last one; without a list of attempts, the one that is named."""
    attempts = [mapping(attempt) for attempt in sequence(data.get("provider_responses"))]
    names = [text(attempt.get("provider_name")) for attempt in attempts if attempt.get("status") == 200]
    return next((name for name in reversed(names) if name), None) or text(data.get("provider_name"))


def _tokens(data: Mapping[str, Any], kind: str) -> int | None:
    """The model's native token count, which is charged; else OpenRouter's count."""
    native = count(data.get(f"native_tokens_{kind}"))
    return count(data.get(f"tokens_{kind}")) if native is None else native
