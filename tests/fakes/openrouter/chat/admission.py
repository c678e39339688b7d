"""The checks of OpenRouter before a call is routed: capabilities, maximum price and context length."""

from decimal import Decimal

from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.usage import per_million, prompt_tokens
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import NO_SUCH_PARAMETERS, NO_TOOLS, USER_ID, error
from tests.fakes.openrouter.messages.reasoning import check_signatures
from tests.fakes.openrouter.messages.tools import check_results

_MEDIA = {"image_url": "image", "input_audio": "audio", "video_url": "video"}


def check(call: Call, model: Json) -> None:
    """Raise an error for a call that no endpoint of the model can serve."""
    if call.tools and "tools" not in model["supported_parameters"]:
        raise error(404, NO_TOOLS)
    _check_inputs(call, model)
    _check_outputs(call, model)
    _check_provider_preferences(call, model)
    _check_length(call, model)
    check_results(call.messages)
    check_signatures(call.messages, model)


def prompt_of(call: Call, model: Json) -> int:
    """The number of tokens of the prompt, as the model counts them."""
    return prompt_tokens(call.messages, call.tools, model["architecture"].get("tokenizer"))


def cap(call: Call, model: Json) -> int | None:
    """The effective token limit; None for a model that does not support one, like any unsupported parameter."""
    known = {"max_tokens", "max_completion_tokens"} & set(model["supported_parameters"])
    return call.cap if known else None


def _check_inputs(call: Call, model: Json) -> None:
    for kind in _media_in(call):
        if kind not in model["architecture"]["input_modalities"]:
            raise error(404, f"No endpoints found that support {kind} input")


def _media_in(call: Call) -> list[str]:
    contents = (message.get("content") for message in call.messages)
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return [_MEDIA[part["type"]] for part in parts if part.get("type") in _MEDIA]


def _check_outputs(call: Call, model: Json) -> None:
    makes = model["architecture"]["output_modalities"]
    wanted = call.body.get("modalities") or (["image"] if "image" in makes else ["text"])
    if not set(wanted) <= set(makes):
        kinds = ", ".join(wanted)
        raise error(404, f"No endpoints found that support the requested output modalities: {kinds}")


def _check_provider_preferences(call: Call, model: Json) -> None:
    preferences = call.body.get("provider") or {}
    unknown = _PARAMETERS & set(call.body) - set(model["supported_parameters"])
    if preferences.get("require_parameters") and unknown:
        raise error(404, NO_SUCH_PARAMETERS)
    for key, limit in (preferences.get("max_price") or {}).items():
        if key in ("prompt", "completion") and per_million(model, key) > Decimal(str(limit)):
            raise error(404, f"No endpoints found for {model['id']}.")


_PARAMETERS = {
    "temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "max_tokens", "logit_bias", "logprobs", "seed", "stop", "response_format",
    "tools", "tool_choice", "reasoning", "verbosity",
}  # fmt: skip


def _check_length(call: Call, model: Json) -> None:
    limit = model["context_length"]
    asked, output = prompt_of(call, model), cap(call, model) or 0
    if limit is None or asked + output <= limit:
        return
    parts = f"{asked} of text input" + (f", {output} in the output" if output else "")
    message = (
        f"This endpoint's maximum context length is {limit} tokens. However, you requested about "
        f"{asked + output} tokens ({parts}). Please reduce the length of either one, or use the "
        "context-compression plugin to compress your prompt automatically."
    )
    metadata = {"provider_name": None, "previous_errors": [{"code": 400, "message": message}]}
    raise error(400, message, metadata=metadata, user_id=USER_ID)
