"""Refusals of OpenRouter and of providers, in the spellings that occur, give the right error and its way out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from instant.domain.errors import (
    CreditsExhausted,
    InstantError,
    InvalidField,
    ModelUnavailable,
    Moderated,
    OutcomeUnknown,
    RateLimited,
    TooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Reply
from instant.integrations.openrouter.errors import failure_of, nothing_done
from instant.integrations.openrouter.refusal import read_refusal

WRAPPED = "Provider returned error"


def error_for(status: int, message: str = WRAPPED, raw: object = None, **more: Any) -> InstantError:
    """Return the error of a refusal; `raw` is the body of a provider named Meadow."""
    return failure_of(reply_of(status, message, raw, **more)).error


def reply_of(status: int, message: str = WRAPPED, raw: object = None, **more: Any) -> Reply:
    """Return a refusal of OpenRouter; `metadata` is added to what `raw` needs."""
    metadata = {"raw": raw, "provider_name": "Meadow"} if raw is not None else {}
    error = {"code": status, "message": message, **more, "metadata": {**metadata, **more.get("metadata", {})}}
    return Reply(status=status, body=json.dumps({"error": error}).encode())


def spellings(message: str, code: str | None = None) -> Iterator[object]:
    """Yield the bodies in which providers send one message."""
    inner = {"message": message, "type": "invalid_request_error", "code": code}
    yield message
    yield json.dumps({"error": inner})
    yield {"error": inner}
    yield [{"error": inner}]
    yield json.dumps({"error": {"message": json.dumps({"error": inner})}})
    yield {"detail": [{"msg": message}]}
    yield {"error": message}
    yield {"errors": [{"message": message}]}


TOO_LONG = [
    "prompt is too long: 215000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000",
    "This model's maximum context length is 8192 tokens. However, you requested 8246 tokens.",
    "The input token count (1125602) exceeds the maximum number of tokens allowed (1048576).",
    "Your input exceeds the context window of this model.",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Please reduce the length of the messages or completion.",
    "the request exceeds the available context size, try increasing it",
    "Input is too long for requested model.",
    "Prompt exceeds max length",
    "Range of input length should be [1, 30720]",
    "Your request exceeded model token limit: 262144",
    "The number of tokens to keep from the initial prompt is greater than the context length",
    "Request entity too large",
    "too many tokens",
]


@pytest.mark.parametrize("message", TOO_LONG)
def test_too_long_prompt_is_recognised_in_every_spelling(message: str) -> None:
    for raw in spellings(message):
        error = error_for(400, raw=raw)
        assert type(error) is TooLarge, raw
        assert "Shorten it" in error.message
    assert type(error_for(400, message)) is TooLarge


MODERATED = [
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "Input data may contain inappropriate content.",
    "Content Exists Risk",
    "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    "Your request was rejected as a result of our safety system.",
    "The prompt contains sensitive words.",
]


@pytest.mark.parametrize("message", MODERATED)
@pytest.mark.parametrize("status", [400, 403])
def test_moderation_is_recognised_in_every_spelling(message: str, status: int) -> None:
    for raw in spellings(message):
        assert type(error_for(status, raw=raw)) is Moderated, raw


@pytest.mark.parametrize("code", ["content_filter", "data_inspection_failed", "ResponsibleAIPolicyViolation"])
def test_moderation_is_recognised_by_the_code_of_the_provider(code: str) -> None:
    assert type(error_for(400, raw={"error": {"code": code}})) is Moderated
    assert type(error_for(400, raw={"error": {"innererror": {"code": code}}})) is Moderated


CONVERSATION = [
    "messages.1.content.0: Invalid `signature` in `thinking` block",
    "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
    "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each must have a corresponding `tool_use` block.",
    "This model does not support assistant message prefill. The conversation must end with a user message.",
    "messages: first message must use the user role",
    "messages: text content blocks must be non-empty",
    "messages: final assistant content cannot end with trailing whitespace",
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
    "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
    "The encrypted content gAAA could not be verified.",
    "Function call is missing a thought_signature in functionCall parts.",
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    "Please ensure that the number of function response parts is equal to the number of function call parts.",
    "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
    "Unexpected role 'user' after role 'tool'",
    "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
]


@pytest.mark.parametrize("message", CONVERSATION)
def test_rejected_conversation_is_the_callers_input(message: str) -> None:
    for raw in spellings(message):
        error = error_for(400, raw=raw)
        assert (type(error), error.details) == (InvalidField, {"field": "inputs.messages"}), raw
    assert type(error_for(400, message)) is InvalidField
    assert type(error_for(404, message)) is not InvalidField


@pytest.mark.parametrize(
    "message",
    [
        "tools.0.custom.input_schema: JSON schema is invalid.",
        "Invalid schema for function 'look': the first property must be an object.",
        "Unsupported value: 'tool_choice' does not support 'required' with this model.",
        "Thinking may not be enabled when tool_choice forces tool use.",
    ],
)
def test_rejected_settings_are_no_rejected_conversation(message: str) -> None:
    assert type(error_for(400, raw=message)) is UpstreamError


MEDIA = [
    "Could not process image",
    "Image does not match the provided media type image/png",
    "Unable to download all specified images. Please ensure the URLs are valid.",
    "Cannot fetch content from the provided URL.",
    "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 5316852 bytes > 5242880 bytes",
    "Invalid image data.",
    "Failed to parse the PDF.",
    "Unsupported image format.",
]


@pytest.mark.parametrize("message", MEDIA)
def test_unreadable_media_are_the_callers_input(message: str) -> None:
    for raw in spellings(message):
        error = error_for(400, raw=raw)
        assert type(error) is InvalidField, raw
        assert error.details == {"field": "inputs"}


@pytest.mark.parametrize(
    "raw",
    [
        {"error": {"message": "Unsupported parameter: 'logit_bias'"}},
        {"error": {"message": "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens"}},
        {"error": {"message": "Bad value", "param": "maximum context length", "input": "prompt is too long"}},
        {"error": {"message": "Bad value", "flagged_input": "content management policy"}},
        "{" * 5_000,
        "[" * 30_000,
        7,
        [],
        {"error": None},
    ],
)
def test_other_refusals_of_a_provider_stay_upstream_errors(raw: object) -> None:
    error = error_for(400, raw=raw)
    assert type(error) is UpstreamError
    assert error.details == {"upstream_status": 400}


@pytest.mark.parametrize("status", [403, 404, 502, 503])
@pytest.mark.parametrize(
    "message",
    [
        "No endpoints found matching your data policy (Free model publication). See settings/privacy",
        "No endpoints available matching your guardrail restrictions and data policy.",
        "No endpoints found matching your data policy (Zero data retention)",
        "Paid model training violation (account settings): 1 endpoint excluded",
    ],
)
def test_privacy_refusal_names_the_settings_of_the_paying_account(status: int, message: str) -> None:
    error = error_for(status, message)
    assert type(error) is ModelUnavailable
    assert "OpenRouter account that pays" in error.message
    assert "https://openrouter.ai/settings/privacy" in error.message
    assert not nothing_done(reply_of(status, message)), "a retry cannot succeed"


@pytest.mark.parametrize(
    ("status", "message", "more", "advice"),
    [
        (404, "x", {"availability": {"code": "privacy_restricted"}}, "settings/privacy"),
        (404, "x", {"availability": {"error_type": "privacy_restricted"}}, "settings/privacy"),
        (404, "No allowed providers are available for the selected model.", {}, "provider.only"),
        (404, "All providers have been ignored. Change settings/preferences", {}, "settings/preferences"),
        (403, "m/x:free is only available on agentic harnesses. Try plugging it in.", {}, "another model"),
        (404, "This model is only available through the Batch API.", {}, "another model"),
        (404, "No endpoints found that support tool use.", {}, "Remove tools"),
        (404, "No endpoints found that support image input", {}, "Leave the media out"),
        (404, "a/b is no longer available.", {"availability": {"code": "model_deprecated"}}, "no longer has"),
        (400, "a/b is not a valid model ID", {}, "no longer has"),
        (404, "No endpoints found for a/b:free.", {}, "Change the resource"),
    ],
)
def test_unavailable_model_refusal_says_what_to_change(
    status: int, message: str, more: dict[str, Any], advice: str
) -> None:
    error = error_for(status, message, **more)
    assert type(error) is ModelUnavailable
    assert advice in error.message


def test_refusal_inside_a_200_is_recognised_as_well() -> None:
    body = {"error": {"code": 403, "message": "m/x:free is only available on agentic harnesses"}}
    assert type(failure_of(Reply(status=200, body=json.dumps(body).encode())).error) is ModelUnavailable


def test_shared_pool_limit_names_the_pool_and_the_ways_out() -> None:
    raw = "a/b:free is temporarily rate-limited upstream. Please retry shortly, or add your own key."
    error = error_for(429, raw=raw, metadata={"limit_source": "upstream_provider_shared_pool", "is_byok": False})
    assert type(error) is RateLimited
    assert error.details == {"limit": "provider_pool"}
    for part in ("The provider Meadow", "pool", "settings/integrations", "fallback_models", "provider.ignore"):
        assert part in error.message


@pytest.mark.parametrize(
    ("message", "metadata", "limit"),
    [
        ("Rate limit exceeded: free-models-per-min.", {}, "free_tier_minute"),
        ("Rate limit exceeded", {"limit_source": "openrouter_free_tier_per_minute"}, "free_tier_minute"),
        ("Rate limit exceeded: free-models-per-day", {}, "free_tier_daily"),
        ("Rate limit exceeded", {"limit_source": "openrouter_credits"}, "credits"),
        (WRAPPED, {"provider_name": "Meadow", "is_byok": True}, "provider_key"),
        (WRAPPED, {"provider_name": "Meadow"}, "provider_pool"),
        (WRAPPED, {"raw": "it is temporarily rate-limited upstream"}, "provider_pool"),
        ("Rate limit exceeded", {}, "openrouter"),
    ],
)
def test_rate_limit_says_whose_limit_it_is(message: str, metadata: dict[str, Any], limit: str) -> None:
    assert error_for(429, message, metadata=metadata).details == {"limit": limit}


def test_provider_name_is_shown_only_if_it_is_a_name() -> None:
    for name in ("<b>", "sk-or-v1-" + "a" * 64, "é", "a\nb", 7, ["Meadow"], " Meadow"):
        message = error_for(429, metadata={"provider_name": name, "raw": "rate-limited upstream"}).message
        assert message.startswith("The model's provider limits the pool")


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (402, "You requested up to 65536 tokens, but can only afford 10114.", "lower max_tokens"),
        (402, "Insufficient credits. This account never purchased credits.", "Add credits"),
        (402, "Create a key with a higher total limit at https://openrouter.ai/settings/keys", "The OpenRouter key"),
        (403, "Key limit exceeded (weekly limit).", "The OpenRouter key"),
    ],
)
def test_credits_refusal_says_what_to_change(status: int, message: str, advice: str) -> None:
    error = error_for(status, message)
    assert type(error) is CreditsExhausted
    assert advice in error.message


BALANCE = {"error": {"message": "Your credit balance is too low to access the API.", "code": "insufficient_quota"}}


@pytest.mark.parametrize("status", [400, 402, 403, 429])
def test_credits_with_a_provider_are_the_callers_with_their_own_provider_key_only(status: int) -> None:
    own = error_for(status, raw=BALANCE, metadata={"is_byok": True})
    assert (type(own), "own key" in own.message) == (CreditsExhausted, True)
    assert type(error_for(status, raw=BALANCE, metadata={"is_byok": False})) is UpstreamError


def test_rejected_key_of_a_provider_is_not_the_key_of_openrouter() -> None:
    error = error_for(401, raw={"error": {"message": "Incorrect API key provided"}})
    assert type(error) is UpstreamError
    assert "settings/integrations" in error.message


@pytest.mark.parametrize(
    ("status", "raw", "advice"),
    [
        (403, {"error": {"code": "unsupported_country_region_territory"}}, "provider.ignore"),
        (400, "Response input messages must contain the word 'json' in some form", "the word JSON"),
    ],
)
def test_refusal_that_the_owner_can_fix_says_how(status: int, raw: object, advice: str) -> None:
    error = error_for(status, raw=raw)
    assert type(error) is UpstreamError
    assert advice in error.message


def test_guardrail_refusal_names_the_paying_account() -> None:
    error = error_for(403, "Request blocked: prompt injection patterns detected", metadata={"patterns": ["x"]})
    assert type(error) is Moderated
    assert "guardrail of the OpenRouter account that pays" in error.message


def test_lack_of_capacity_is_retryable_with_any_status() -> None:
    for status in (403, 404, 503, 529):
        error = error_for(status, "No room.", availability={"code": "capacity_exhausted", "retry_after": 7})
        assert (type(error), error.wait) == (UpstreamUnavailable, 7)


@pytest.mark.parametrize("status", [408, 504, 524])
def test_timeout_stays_unknown_whatever_it_says(status: int) -> None:
    assert type(error_for(status, raw="prompt is too long")) is OutcomeUnknown


def test_words_of_a_refusal_are_limited() -> None:
    refusal = read_refusal(400, {"message": "exceed" * 32_000, "metadata": {"raw": {"message": "exceed" * 32_000}}})
    assert 0 < len(refusal.words) <= 8_000
