"""Token counts of texts, and the cost of calls at the prices of a catalog row."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.fakes.openrouter.exact_json import Json, dumps

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
TOKENS_PER_MEDIUM = 256
TOKENS_PER_IMAGE = 1290
TOKENS_FOR_TOOLS = 346


def tokens(text: str | None) -> int:
    """The number of tokens of a text: a quarter of its characters, rounded up."""
    return -(-len(text or "") // CHARACTERS_PER_TOKEN)


def prompt_tokens(messages: Sequence[Json], tools: Sequence[Json] = (), tokenizer: str | None = None) -> int:
    """The number of tokens of the messages of a call, including media, tool calls, reasoning and tools."""
    asked = sum(TOKENS_PER_MESSAGE + _content_tokens(message.get("content")) for message in messages)
    answered = sum(tokens(dumps(message[key])) for message in messages for key in _ANSWERED if message.get(key))
    hidden = TOKENS_FOR_TOOLS if tools and tokenizer == "Claude" else 0
    return asked + answered + sum(tokens(dumps(tool)) for tool in tools) + hidden


_ANSWERED = ("tool_calls", "reasoning_details", "refusal")
"""What messages of the assistant hold besides their content."""


def _content_tokens(content: Any) -> int:
    if not isinstance(content, list):
        return tokens(content)
    return sum(tokens(part["text"]) if "text" in part else TOKENS_PER_MEDIUM for part in content)


def usage(model: Json, prompt: int, text: int, reasoning: int, images: int) -> Json:
    """The `usage` of an answer; `text` and `reasoning` are numbers of tokens, `images` of images."""
    completion = text + reasoning + images * TOKENS_PER_IMAGE
    prices = effective_prices(model, prompt)
    prompt_cost = prices["prompt"] * prompt + prices.get("request", Decimal(0))
    completion_cost = prices["completion"] * completion
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cost": prompt_cost + completion_cost,
        "is_byok": False,
        "prompt_tokens_details": dict.fromkeys(_PROMPT_DETAILS, 0),
        "cost_details": {
            "upstream_inference_cost": prompt_cost + completion_cost,
            "upstream_inference_prompt_cost": prompt_cost,
            "upstream_inference_completions_cost": completion_cost,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "image_tokens": images * TOKENS_PER_IMAGE,
            "audio_tokens": 0,
        },
    }


_PROMPT_DETAILS = ("cached_tokens", "cache_write_tokens", "audio_tokens", "video_tokens")


def effective_prices(model: Json, prompt: int) -> dict[str, Decimal]:
    """The prices in USD per unit for a prompt of this many tokens, with overrides applied."""
    pricing = dict(model["pricing"])
    for override in pricing.pop("overrides", []):
        if "min_prompt_tokens" in override and prompt > override["min_prompt_tokens"]:
            pricing |= override
    return {key: Decimal(price) for key, price in pricing.items() if isinstance(price, str)}


def per_million(model: Json, key: str) -> Decimal:
    """A list price in USD per million tokens."""
    return Decimal(model["pricing"][key]) * 1_000_000
