"""The shapes of our answers about resources: one, lists of them, what became of their models, and the kinds."""

from typing import Annotated, NotRequired, TypedDict

from pydantic import Field

from instant.domain.catalog import ModelStatus
from instant.domain.resource import Badge, Visibility
from instant.domain.successor import SuccessorPolicy
from instant.entrypoints.answers import JsonObject, Time, Usd


class ResourceFacts(TypedDict):
    """A resource without its settings, which may be 300 KB."""

    resource_id: str
    resource_type: str
    address: Annotated[str, Field(description="handle/slug: another name for it at POST /api/execute.")]
    name: str
    slug: str
    description: str | None
    category: str | None
    visibility: Visibility
    ai_model_id: Annotated[str | None, Field(description="Null where the type needs no model.")]
    revision: Annotated[int, Field(description="Rises with every change; may be sent as If-Match.")]
    created_at: Time
    updated_at: Time


class ResourceSummary(ResourceFacts):
    """A resource; `config` and `successor_policy` go to its owner only."""

    config: NotRequired[JsonObject]
    successor_policy: NotRequired[SuccessorPolicy]


class RecentUse(TypedDict):
    """Calls in thirty days as of the last ranking, which is minutes ago."""

    calls: int
    successes: int


class AffectedModel(TypedDict):
    """A model of a resource with which not all is well."""

    openrouter_id: str
    status: ModelStatus


class ListedResource(ResourceFacts):
    """A resource in a list; its settings are at GET /api/resources/{resource_id}."""

    recent_use: Annotated[RecentUse | None, Field(description="Null for resources that are not public.")]
    affected_models: NotRequired[Annotated[list[AffectedModel], Field(description="With affected=true.")]]


class ResourceStatistics(TypedDict):
    """How often a resource was called; thirty days are UTC days and include today."""

    call_count: int
    success_count_30d: int
    failure_count_30d: int
    cost_usd_30d: NotRequired[Annotated[Usd, Field(description="What all callers paid; for the owner only.")]]
    last_called_at: Time | None


class ModelBadges(TypedDict):
    """The few facts about a resource's model that its page shows."""

    openrouter_id: str
    display_name: str
    provider: str
    context_length: int | None
    max_tokens: int | None
    is_active: bool
    vision_supported: bool
    tool_calling_supported: bool
    web_search_supported: bool
    pricing: dict[str, str]


class UsedModelDetail(AffectedModel):
    """What became of a model; prices are those of GET /api/models, when the settings were saved and now."""

    successor: Annotated[str | None, Field(description="What could take over; null: nothing known, or not wanted.")]
    saved_price: Annotated[JsonObject | None, Field(description="Null: the price is as it was.")]
    price: JsonObject | None


class ResourceDetail(ResourceSummary):
    """A resource with what is known around it."""

    inputs_schema: Annotated[JsonObject, Field(description="JSON Schema of the inputs.")]
    stats: ResourceStatistics
    model: Annotated[ModelBadges | None, Field(description="Null when the catalog never had it.")]
    model_status: Annotated[
        ModelStatus | None,
        Field(
            description="gone and unusable: calls are refused, unless a successor serves; missing: not listed for now, "
            "and tried, unless a successor serves; "
            "expiring: its announced end is within 30 days; price_changed: since the settings were saved. "
            "Null where the type needs no model."
        ),
    ]
    successor: NotRequired[
        Annotated[str | None, Field(description="What could take over from the model; for the owner only.")]
    ]
    affected_models: NotRequired[
        Annotated[list[UsedModelDetail], Field(description="Fallbacks, too; for the owner only.")]
    ]
    badges: list[Badge]


class ResourceKind(TypedDict):
    """A kind of resource: forms are drawn from its JSON Schemas."""

    name: str
    description: str
    integration: Annotated[str | None, Field(description="Whose key pays; null where the type needs no key.")]
    config_schema: JsonObject
    inputs_schema: JsonObject


class PreviewedCall(TypedDict):
    """What a call would send, and cost at most."""

    request: Annotated[
        JsonObject,
        Field(description="The chat body without what depends on the payer: `user`, `provider.max_price`."),
    ]
    worst_case_usd: Usd
    inputs_schema: JsonObject
