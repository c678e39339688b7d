"""Which error a refusal is, by its names and words: one table for OpenRouter's own refusals and those of providers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from instant.domain.errors import (
    CostCap,
    CreditsExhausted,
    InstantError,
    InvalidField,
    ModelUnavailable,
    Moderated,
    RateLimited,
    TooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.integrations.openrouter.refusal import Refusal

_PRIVACY = (
    "The privacy settings of the OpenRouter account that pays exclude every provider of this model. Its owner can "
    "change them at https://openrouter.ai/settings/privacy. Or choose another model for the resource."
)
_PROVIDERS = (
    "Every provider of this model is excluded: by provider.only or provider.ignore of the resource, or by the provider "
    "settings of the OpenRouter account that pays (https://openrouter.ai/settings/preferences). Change either."
)
_NO_MEDIA_INPUT = "No provider of this model can read these inputs. Leave the media out, or choose another model."
_NOT_COUNTED = {_PRIVACY, _PROVIDERS, _NO_MEDIA_INPUT}
"""The messages about the account that pays or about the caller's media: other callers can be served."""

PROVIDER_POOL = "provider_pool"
"""`details.limit` of a rate limit of the pool that all users of a provider share."""

_GUARDRAIL = (
    "A guardrail of the OpenRouter account that pays rejected the input. Change the input, or the guardrail in the "
    "settings of OpenRouter."
)
_ELSEWHERE = (
    "OpenRouter offers this model only to certain applications or through another API. Choose another model for the "
    "resource."
)
_REGION = "does not serve this region. Exclude it with provider.ignore on the resource, or choose another model."
_TOO_LONG = "The prompt exceeds the model's context length. Shorten it, or choose another model."
_MEDIA = (
    "contain an image, file or audio that the model's provider cannot read. Check its format and size, and that a link "
    "opens without a login."
)
_CONVERSATION = (
    "are in an order, or have reasoning, that the model's provider rejects. Send messages back as they were received, "
    "with their reasoning_details, and answer each tool call."
)
_FEW_CREDITS = (
    "The OpenRouter account has too few credits for this call. Add credits there, lower max_tokens on the resource, or "
    "shorten the prompt."
)
_KEY_LIMIT = "The OpenRouter key has reached its limit. Raise it there, or wait for its reset."
_ASKS_FOR_JSON = (
    "The model's provider accepts the response_format json_object only if the prompt contains the word JSON. Add it to "
    "the system prompt of the resource."
)

_MAY_BE_PRICE = re.compile(r"\bprice\b|^no endpoints found( for \S+?)?\.?$", re.MULTILINE)
"""Words about our price limit; OpenRouter can leave the reason out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`error` is the error of a refusal with one of `names`, or with words that match `pattern`.

    Both apply to refusals with one of `statuses`; without any, to every status.
    """

    error: Callable[[Refusal], InstantError]
    statuses: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def matches(self, refusal: Refusal) -> bool:
        """Whether the rule applies."""
        if self.statuses and refusal.status not in self.statuses:
            return False
        if not self.names and self.pattern is None:
            return True
        return not self.names.isdisjoint(refusal.names) or bool(self.pattern and self.pattern.search(refusal.words))


def error_by_rules(refusal: Refusal) -> InstantError | None:
    """The error of the first rule that applies; None if none does."""
    return next((rule.error(refusal) for rule in RULES if rule.matches(refusal)), None)


def is_counted(status: int, error: InstantError) -> bool | None:
    """Whether the error is a failure of the resource, where its code alone does not tell; None: as its code says.

    A key, its account, the settings of that account and the media are the caller's, whichever error they lead to.
    """
    if status in {401, 402} or error.message in _NOT_COUNTED:
        return False
    return error.details.get("limit") == PROVIDER_POOL if isinstance(error, RateLimited) else None


def _rule(error: Callable[[Refusal], InstantError], names: str = "", pattern: str = "", statuses: str = "") -> Rule:
    return Rule(
        error,
        frozenset(map(int, statuses.split())),
        frozenset(names.split()),
        re.compile(pattern) if pattern else None,
    )


def _credits(refusal: Refusal) -> InstantError:
    """Credits of the account that pays; those of OpenRouter with a provider are not the caller's concern."""
    if refusal.is_byok:
        return CreditsExhausted(f"{refusal.who} has too few credits in the account of your own key for it. Add some.")
    if not refusal.is_from_provider:
        return CreditsExhausted(_FEW_CREDITS)
    return UpstreamError(f"{refusal.who} rejected the call for lack of credits of OpenRouter. Choose another provider.")


def _too_long(refusal: Refusal) -> InstantError:
    return TooLarge(_TOO_LONG, details={"limit": "context_length"})


def _key_limit(refusal: Refusal) -> InstantError:
    return CreditsExhausted(_KEY_LIMIT)


def _price(refusal: Refusal) -> InstantError:
    """Only our own price limit is a cost cap."""
    if "constraint_filtered" in refusal.names and "price" in f"{refusal.constraint} {refusal.words}":
        return CostCap("Every provider exceeds your maximum cost per call. Raise max_cost_per_call_usd.")
    error = ModelUnavailable("No provider can serve this model with these settings. Change the resource.")
    error.may_be_price = not refusal.constraint and bool(_MAY_BE_PRICE.search(refusal.words))
    return error


def _unavailable(message: str) -> Callable[[Refusal], InstantError]:
    return lambda refusal: ModelUnavailable(message)


RULES = (
    _rule(_key_limit, pattern=r"key limit exceeded|key('s)? total limit|settings/keys", statuses="402 403"),
    _rule(_credits, statuses="402"),
    _rule(
        _credits,
        names="insufficient_quota insufficient_balance",
        pattern=r"credit balance is too low|insufficient (balance|credit|funds|quota)|exceeded your current quota",
        statuses="400 403 422 429",
    ),
    _rule(
        _unavailable(_PRIVACY),
        names="privacy_restricted",
        pattern=r"data policy|settings/privacy|zero data retention|(free|paid) model (training|publication)",
        statuses="400 403 404 422 502 503",
    ),
    _rule(
        _unavailable(_PROVIDERS),
        pattern=r"no allowed providers|providers have been ignored|settings/preferences",
        statuses="400 403 404 422 502 503",
    ),
    _rule(
        _unavailable(_ELSEWHERE),
        names="wrong_endpoint",
        pattern=r"agentic harness|only available (on|through|via|in|to) |restricted to agentic|not available through",
        statuses="400 403 404 422",
    ),
    _rule(lambda refusal: Moderated(_GUARDRAIL), pattern=r"guardrail|prompt injection", statuses="400 403 422"),
    _rule(
        lambda refusal: UpstreamError(f"{refusal.who} {_REGION}"),
        names="region_restricted unsupported_country_region_territory unsupported_region",
        pattern=r"country, region|your (region|country)|region (is )?not supported|location is not supported",
        statuses="400 403 404 451",
    ),
    _rule(
        _too_long,
        names="context_length_exceeded string_too_long string_above_max_length payload_too_large request_too_large "
        "model_context_window_exceeded exceed_context_size_error",
        pattern=r"(maximum|max|exceed\w*|greater than)\b.{0,60}\bcontext|context[ _](length|window|size|limit)\b"
        r"|(prompt|input|request|payload|body|entity) (is )?too (long|large)|(prompt|input) exceeds"
        r"|maximum (prompt|input|model) length|input (token|length)|too many (input |prompt )?tokens"
        r"|model token limit|token limit exceeded|reduce the length|exceeds the maximum number of (input )?tokens",
        statuses="400 413 422 500 502",
    ),
    _rule(
        lambda refusal: InvalidField("inputs: " + _MEDIA, details={"field": "inputs"}),
        names="invalid_image invalid_image_url invalid_image_format image_parse_error image_too_large invalid_base64",
        pattern=r"(could not|cannot|can't|unable to|failed to|error while) "
        r"(process|download|fetch|load|read|decode|parse|extract|open)\w*\b.{0,60}\b(image|file|pdf|audio|media|url)"
        r"|(invalid|unsupported|corrupt\w*|unprocessable|malformed) (image|audio|pdf|file|media)\b"
        r"|image (exceeds|does not match|is not|format)"
        r"|(image|audio|pdf|file)\b.{0,40}\b(is not valid|is invalid|too )",
        statuses="400 413 415 422",
    ),
    _rule(_too_long, statuses="413"),
    _rule(
        lambda refusal: Moderated("The provider's moderation rejected the input. Change it."),
        names="content_policy_violation refusal content_filter responsibleaipolicyviolation data_inspection_failed "
        "datainspectionfailed prohibited_content moderation_blocked content_policy content_moderation_failed",
        pattern=r"requires moderation|(input|prompt|content|request|text) (was|were|has been|is) (flagged|blocked)"
        r"|content (management )?polic|usage polic|content[ _]filter|inappropriate content|content exists risk"
        r"|prohibited content|sensitive (content|words|information)|safety (system|filter|reasons|polic)",
        statuses="400 403 422",
    ),
    _rule(
        lambda refusal: InvalidField("inputs.messages: " + _CONVERSATION, details={"field": "inputs.messages"}),
        names="invalid_encrypted_content",
        pattern=r"\b(thought[_ ])?signature\b.{0,60}\b(thinking|functioncall|block)|missing a thought[_ ]signature"
        r"|(expected|must start with) .{0,20}\bthinking\b|encrypted content .{0,80}\bverified"
        r"|'reasoning' was provided without|tool_use.{0,20} ids? .{0,40}tool_result|tool_result.{0,60}tool_use"
        r"|role 'tool' must|'tool_calls' must be followed|function call turn comes|function response parts"
        r"|roles must alternate|last role|unexpected role|role '\w+' after|must end with a user message|message prefill"
        r"|first message must|text content blocks must be non-empty|final assistant content",
        statuses="400 422",
    ),
    _rule(lambda refusal: UpstreamError(_ASKS_FOR_JSON), pattern=r"contain the word .{0,3}json", statuses="400 422"),
    _rule(
        _unavailable("OpenRouter no longer has this model. Choose another for the resource."),
        names="model_not_found model_deprecated free_variant_ended",
        pattern=r"not a valid model|is no longer available|has been (deprecated|removed|retired)",
        statuses="400 403 404 410 422",
    ),
    _rule(
        lambda refusal: UpstreamUnavailable("No provider has capacity for this model now. Retry later."),
        names="capacity_exhausted temporarily_unavailable",
        statuses="403 404",
    ),
    _rule(
        _unavailable("No provider of this model supports tools. Remove tools, or choose another model."),
        pattern=r"support tool use",
        statuses="404",
    ),
    _rule(
        _unavailable(_NO_MEDIA_INPUT),
        pattern=r"support (image|file|audio|video) input",
        statuses="404",
    ),
    _rule(_price, statuses="404"),
    _rule(
        _unavailable("OpenRouter does not offer this model for this type of call. Change the resource."),
        names="permission_denied",
        statuses="403",
    ),
)
"""The first rule that applies decides."""
