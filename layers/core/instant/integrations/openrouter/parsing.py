"""Lenient typing of OpenRouter's JSON, since fields are added, removed and changed without notice."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from instant.domain.exchange import Reply
from instant.domain.executions.receipt import MAX_FACT_CHARACTERS, Receipt, usable_id
from instant.domain.executions.token_usage import Usage
from instant.domain.money import parse_usd
from instant.integrations.openrouter.cost import read_cost
from instant.integrations.openrouter.decoding import decode_reply

NAME = "openrouter"
BASE_URL = "https://openrouter.ai/api/v1"


def parse(reply: Reply) -> Any:
    """The JSON in the body, with clean strings without the key, fractional numbers as Decimal; None if it is none."""
    return reply.mask.value(decode_reply(reply.body) if reply.document is None else reply.document)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """`value` if it is a string that is not blank."""
    return value if isinstance(value, str) and value and not value.isspace() else None


def fact(value: object) -> str | None:
    """A short text such as a name, cut at `MAX_FACT_CHARACTERS`."""
    return (text(value) or "")[:MAX_FACT_CHARACTERS] or None


def count(value: object) -> int | None:
    """`value` if it is an integer from 0 to 2**53."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 2**53:
        return None
    return int(value) if value == int(value) else None


def amount_text(value: object) -> str | None:
    """A JSON amount as a plain decimal string."""
    amount = parse_usd(value)
    return None if amount is None else f"{amount:f}"


def generation_id(reply: Reply, body: Mapping[str, Any]) -> str | None:
    """OpenRouter's generation id of the call, from the header, which errors have too, or from the body."""
    return usable_id(reply.headers.get("x-generation-id")) or usable_id(text(body.get("id")))


def receipt_of(reply: Reply, body: Mapping[str, Any], finish_reason: str | None = None) -> Receipt:
    """The usage and the cost in the response, where it has them."""
    usage = mapping(body.get("usage"))
    return Receipt(
        generation_id=generation_id(reply, body),
        model=text(body.get("model")),
        provider=text(body.get("provider")),
        finish_reason=finish_reason,
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        cost_nanousd=read_cost(
            usage.get("cost"), is_byok=usage.get("is_byok"), details=mapping(usage.get("cost_details"))
        ),
        usage=_usage(usage),
    )


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    """The detailed usage; a missing counter is 0."""
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    read, written = mapping(usage.get("prompt_tokens_details")), mapping(usage.get("completion_tokens_details"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=count(read.get("cached_tokens")) or 0,
        cache_write_tokens=count(read.get("cache_write_tokens")) or 0,
        audio_tokens=count(read.get("audio_tokens")) or 0,
        reasoning_tokens=count(written.get("reasoning_tokens")) or 0,
        image_output_tokens=count(written.get("image_tokens")) or 0,
        audio_output_tokens=count(written.get("audio_tokens")) or 0,
        web_searches=count(mapping(usage.get("server_tool_use_details")).get("web_search_requests")) or 0,
    )
