"""The shapes of our answers: field by field what callers get, and what the OpenAPI document says they get."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from instant.domain.catalog_change import ChangeKind
from instant.domain.execution import KeySource, State
from instant.domain.identity import Scope
from instant.domain.integration import KeyStatus
from instant.domain.output import Output

type Usd = Annotated[str, Field(description="US dollars as a plain decimal number.", examples=["0.000081"])]
type Time = Annotated[str, Field(description="ISO 8601 in UTC.", examples=["2026-11-22T20:17:24.000123Z"])]
type NextCursor = Annotated[
    str | None, Field(description="Pass it as `cursor` to go on; null: this was the last page. A page may be short.")
]
type JsonObject = dict[str, Any]


class PageOf[Row](TypedDict):
    """A part of a list."""

    data: list[Row]
    next_cursor: NextCursor
    total: NotRequired[Annotated[int, Field(description="How many there are in all, where that is cheap to know.")]]


class TokenUsage(TypedDict):
    """What a call used up."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Annotated[Usd | None, Field(description="As the provider reported it; null is unknown, not free.")]


class ExecutedCall(TypedDict):
    """The answer of a call."""

    success: Literal[True]
    execution_id: str
    output: Output
    model: Annotated[str | None, Field(description="The model that served; null where the type needs none.")]
    provider: str | None
    usage: TokenUsage
    finish_reason: str | None


class ExecutionSummary(TypedDict):
    """An execution in a list."""

    execution_id: str
    resource_id: str
    resource_revision: int
    status: State
    model: str | None
    model_served: str | None
    provider: str | None
    generation_id: str | None
    key_source: Annotated[KeySource | None, Field(description="Whose key paid; null where the type needs no key.")]
    api_key_id: str | None
    usage: TokenUsage
    latency_ms: int | None
    finish_reason: str | None
    error_code: str | None
    created_at: Time
    finished_at: Time | None
    reconciled_at: Time | None


class ExecutionDetail(ExecutionSummary):
    """An execution with what its caller was answered: an output, or an error, or neither yet."""

    output: Output | None
    error: JsonObject | None


class SignedLink(TypedDict):
    """A link that anybody may read until it expires."""

    url: str
    expires_at: Time


class Connection(TypedDict):
    """A connection to a service: never the key, only its last four characters."""

    service: str
    hint: str
    key_sha256: Annotated[str, Field(description="OpenRouter's own safe identifier of the key.")]
    label: str | None
    status: KeyStatus
    is_enabled: bool
    limit_remaining_usd: Annotated[Usd | None, Field(description="What the key may still spend; null: it has no cap.")]
    max_cost_per_call_usd: Usd
    last_verified_at: Time | None
    created_at: Time


class BegunConnection(TypedDict):
    """What the client keeps, for itself, until the browser is back."""

    authorize_url: Annotated[str, Field(description="Open it in the user's browser.")]
    state: Annotated[
        str | None, Field(description="Compare it with `state` where the browser comes back; null: no callback.")
    ]
    code_verifier: Annotated[str, Field(description="A secret of this client's until the code is exchanged.")]


class ApiKeySummary(TypedDict):
    """One of our keys: never the key, only its last four characters."""

    key_id: str
    name: str
    last4: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Annotated[str | None, Field(description="The hour in which it was last used.")]


class MintedApiKey(ApiKeySummary):
    """A fresh key, shown this once."""

    api_key: str


class ModelDetail(TypedDict):
    """A model of the catalog, with all that is known; prices are strings of USD per token."""

    openrouter_id: str
    canonical_slug: str
    display_name: str
    provider: Annotated[str, Field(description="The author: the first part of the id.")]
    description: str
    released_at: int | None
    context_length: int | None
    max_tokens: int | None
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str]
    default_parameters: JsonObject
    pricing: dict[str, str]
    price_overrides: list[JsonObject]
    discount: Annotated[str | None, Field(description="The service's own number, as text.")]
    reasoning: Annotated[JsonObject, Field(description="How it can be told to think; empty where nothing is said.")]
    expiration_date: str | None
    alias_target: str | None
    is_active: bool
    missing_since: Annotated[
        Time | None,
        Field(description="Not listed since then; still active for seven days, or until its announced end."),
    ]
    price_held: Annotated[
        dict[str, str], Field(description="Unusual prices that were announced and are not believed yet; else empty.")
    ]
    price_held_since: Time | None
    vision_supported: bool
    tool_calling_supported: bool
    web_search_supported: bool
    usable: Annotated[bool, Field(description="Whether a resource can run on it.")]
    last_synced_at: NotRequired[Time]


class ToldChange(TypedDict):
    """One change of one model: the facts that differ, as they were and as they are since `at`."""

    openrouter_id: str
    at: Time
    kind: ChangeKind
    old: Annotated[JsonObject, Field(description="Empty for an added model.")]
    new: Annotated[JsonObject, Field(description="For an added model all its facts but the empty ones.")]


class AcceptedSync(TypedDict):
    """A sync that was asked for."""

    accepted: Literal[True]
    accept_losses: bool
    accept_prices: bool
