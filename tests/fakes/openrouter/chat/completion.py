"""The body of a chat completion, with every key of a recorded response."""

import secrets
import time
from typing import Any

from tests.fakes.openrouter.chat.admission import prompt_of
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.draft import Draft
from tests.fakes.openrouter.chat.usage import tokens, usage
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.messages.reasoning import details

# The native finish reasons of the providers, by tokenizer and OpenRouter's finish reason.
_NATIVE: dict[str, dict[str, str]] = {
    "Claude": {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"},
    "Gemini": {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"},
    "GPT": {"stop": "completed", "length": "max_output_tokens"},
}
_PROVIDERS = {"anthropic": "Amazon Bedrock", "openai": "OpenAI", "google": "Google", "mistralai": "Mistral"}


def complete(draft: Draft, call: Call, model: Json) -> Json:
    """The completion of a draft by `model`; its field `model` is the canonical slug."""
    now = int(time.time())
    return {
        "id": f"gen-{now}-{secrets.token_hex(10)}",
        "object": "chat.completion",
        "created": now,
        "model": model["canonical_slug"],
        "provider": provider(model),
        "system_fingerprint": None,
        "service_tier": None,
        "choices": [_choice(draft, call, model)],
        "usage": _usage(draft, call, model),
    }


def provider(model: Json) -> str:
    """The name of the provider that serves a model."""
    author = str(model["id"]).split("/")[0].lstrip("~")
    return _PROVIDERS.get(author, author.replace("-", " ").title())


def _choice(draft: Draft, call: Call, model: Json) -> Json:
    native = _NATIVE.get(model["architecture"].get("tokenizer", ""), {})
    failure = {} if draft.error is None else {"error": draft.error}
    return {
        "index": 0,
        "logprobs": None,
        "finish_reason": draft.finish,
        "native_finish_reason": native.get(draft.finish, draft.finish),
        **failure,
        "message": _message(draft, call, model),
    }


def _message(draft: Draft, call: Call, model: Json) -> Json:
    hidden = (call.body.get("reasoning") or {}).get("exclude")
    reasoning = None if hidden else draft.reasoning
    optional: dict[str, Any] = {
        "reasoning_details": details(reasoning, model) if reasoning else None,
        "tool_calls": draft.tool_calls,
        "images": [{"type": "image_url", "image_url": {"url": url}} for url in draft.images],
    }
    return {
        "role": "assistant",
        "content": draft.content,
        "refusal": draft.refusal,
        "reasoning": reasoning,
        **{key: value for key, value in optional.items() if value},
    }


def _usage(draft: Draft, call: Call, model: Json) -> Json:
    written = tokens(draft.content) + tokens(draft.refusal)
    called = sum(tokens(item["function"]["arguments"]) for item in draft.tool_calls)
    prompt = prompt_of(call, model)
    return usage(model, prompt, written + called, tokens(draft.reasoning), len(draft.images))
