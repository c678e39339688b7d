"""The directives that change the answer of a model, before and after it is formatted as a completion."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from tests.fakes.openrouter.chat import writing
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.directives import Directive, unknown
from tests.fakes.openrouter.chat.draft import Draft, tool_calls
from tests.fakes.openrouter.exact_json import Json, dumps
from tests.fakes.openrouter.faults import USER_ID, error_body
from tests.fakes.openrouter.messages.tools import results

HUGE = 5 * 1024 * 1024

# The metadata of an error inside a stream.
_BROKEN_STREAM = {"error_type": "provider_unavailable"}

# Called if a directive requests a tool call and the request has no tools.
_SOME_TOOL: Json = {"function": {"name": "look_up", "parameters": {"properties": {"q": {"type": "string"}}}}}


def reshape(draft: Draft, call: Call) -> None:
    """Apply the directives that change the draft."""
    for directive in call.directives:
        change = _CHANGES.get(directive.name)
        if change:
            change(draft, call)
        elif directive.name == "show-key":
            _show_key(draft, call, directive)


def _empty(draft: Draft, call: Call) -> None:
    draft.content, draft.reasoning = "", None


def _null_content(draft: Draft, call: Call) -> None:
    draft.content, draft.reasoning = None, None


def _reasoning_only(draft: Draft, call: Call) -> None:
    draft.content, draft.reasoning, draft.finish = "", writing.thoughts(call.prompt), "length"


def _refusal(draft: Draft, call: Call) -> None:
    draft.content, draft.refusal = None, "I'm sorry, but I can't help with that."


def _content_filter(draft: Draft, call: Call) -> None:
    draft.content, draft.finish = "", "content_filter"


def _tool_calls(draft: Draft, call: Call) -> None:
    if results(call.messages):
        return
    draft.content, draft.finish = None, "tool_calls"
    draft.tool_calls = tool_calls(call.tools or [_SOME_TOOL], call)


def _fail(draft: Draft, call: Call) -> None:
    draft.error = error_body(502, "Provider returned error", metadata=_BROKEN_STREAM)["error"]
    draft.finish = "error"


def _huge(draft: Draft, call: Call) -> None:
    draft.content = "All work and no play. " * (HUGE // 22 + 1)


def _in_words(draft: Draft, call: Call) -> None:
    draft.content = f"{draft.content}\n\n![picture]({draft.images[0]})"


def _show_key(draft: Draft, call: Call, directive: Directive) -> None:
    match directive.argument:
        case "":
            draft.content = f"{draft.content or ''} The key is {call.key} today."
        case "reasoning":
            draft.reasoning = f"The key is {call.key} today."
        case "arguments":
            _tool_calls(draft, call)
            draft.tool_calls[0]["function"]["arguments"] = dumps({"q": f"with {call.key} in it"})
        case _:
            raise unknown(directive)


_CHANGES: dict[str, Callable[[Draft, Call], None]] = {
    "empty": _empty,
    "null-content": _null_content,
    "reasoning-only": _reasoning_only,
    "refusal": _refusal,
    "content-filter": _content_filter,
    "tool-calls": _tool_calls,
    "choice-error": _fail,
    "midstream-error": _fail,
    "huge": _huge,
    "in-words": _in_words,
}


def delta_size(call: Call) -> int | None:
    """The number of characters in each delta that a directive requests."""
    for directive in call.directives:
        if directive.name == "deltas":
            if not directive.argument.isdecimal():
                raise unknown(directive)
            return int(directive.argument)
    return None


def reprice(completion: Json, call: Call) -> None:
    """Set the cost to 0 for a failure, and to the amount of a directive `price`."""
    if call.asks("200-error") or any("error" in choice for choice in completion.get("choices", ())):
        completion["usage"]["cost"] = Decimal(0)
    for directive in call.directives:
        if directive.name == "price":
            completion["usage"]["cost"] = _amount(directive)


def _amount(directive: Directive) -> Decimal:
    try:
        return Decimal(directive.argument)
    except InvalidOperation:
        raise unknown(directive) from None


def client_view(completion: Json, call: Call) -> Json:
    """The completion as returned to the client, with parts omitted or undocumented ones added."""
    if call.asks("200-error"):
        metadata = _BROKEN_STREAM if call.streams else {"provider_name": "Meadow", "raw": "the model broke off"}
        return error_body(502, "Provider returned error", metadata=metadata, user_id=USER_ID)
    if call.asks("no-usage"):
        return {key: value for key, value in completion.items() if key != "usage"}
    if call.asks("no-cost"):
        kept = {key: value for key, value in completion["usage"].items() if "_tokens" in key}
        return {**completion, "usage": kept}
    return _with_undocumented_fields(completion) if call.asks("weird") else completion


def _with_undocumented_fields(completion: Json) -> Json:
    """The completion with undocumented keys and enum values, as after an unannounced release."""
    choice = completion["choices"][0]
    message = {**choice["message"], "mood": {"valence": 0.4}, "annotations": [{"type": "hologram"}]}
    choice = {**choice, "message": message, "finish_reason": "daydreaming", "confidence": None}
    usage = {**completion["usage"], "carbon_grams": Decimal("0.0031"), "cost_tier": "moonlight"}
    return {**completion, "object": "chat.completion.v2", "choices": [choice], "usage": usage, "weather": "mild"}
