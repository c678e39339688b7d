"""A resource with its models and statistics."""

from typing import Annotated, NotRequired, TypedDict, cast

from pydantic import Field

from instant.domain.access.identity import Identity
from instant.domain.catalog.impact import UsedModel
from instant.domain.catalog.model import CatalogModel, ModelStatus
from instant.domain.money import usd_text
from instant.domain.resources.resource import Badge
from instant.domain.resources.stats import Stats
from instant.entrypoints.catalog.models import BADGES
from instant.entrypoints.http.fields import JsonObject, Time, Usd
from instant.entrypoints.resources.lists import AffectedModel
from instant.entrypoints.resources.resource import ResourceSummary, resource_view
from instant.resource_types import RESOURCE_TYPES
from instant.use_cases.resources.browse import Detail


class ResourceStatistics(TypedDict):
    """How often a resource was called; thirty days are UTC days and include today.

    A call that fails because of its caller (a key, credits, limits, inputs, moderation) is neither a success nor a
    failure. Only the owner's view includes the owner's own successes and failures.
    """

    call_count: int
    success_count_30d: int
    failure_count_30d: int
    cost_usd_30d: NotRequired[Annotated[Usd, Field(description="The total cost for all callers; for the owner only.")]]
    last_called_at: Time | None


class ModelBadges(TypedDict):
    """The facts about a resource's model in its details."""

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
    """The impact of catalog changes on a model; prices as in GET /api/models, when the settings were saved and now."""

    successor: Annotated[
        str | None, Field(description="The suggested successor; null if there is none, or if the policy disables it.")
    ]
    saved_price: Annotated[JsonObject | None, Field(description="Null if the price is unchanged.")]
    price: JsonObject | None


class ResourceDetail(ResourceSummary):
    """A resource with its models and statistics."""

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


def detail_view(detail: Detail, viewer: Identity) -> ResourceDetail:
    """A resource with its models and statistics."""
    first = next(iter(detail.used), None)
    resource_type = RESOURCE_TYPES[detail.resource.resource_type]
    is_owner = viewer.may_read_settings(detail.resource.owner_id)
    view = {
        **resource_view(detail.resource, viewer),
        "inputs_schema": resource_type.inputs_schema(detail.resource.config),
        "stats": stats_view(detail.stats, is_owner=is_owner),
        "model": badges_view(detail.model),
        "model_status": first.status if first else None,
        "badges": detail.badges,
    }
    affected = [used_view(one) for one in detail.used if one.status is not ModelStatus.OK]
    extras = (
        {"successor": detail.used[0].successor if detail.used else None, "affected_models": affected}
        if is_owner
        else {}
    )
    return cast(ResourceDetail, {**view, **extras})


def used_view(used: UsedModel) -> UsedModelDetail:
    """What became of a model, for the owner of a resource that uses it."""
    return {
        "openrouter_id": used.openrouter_id,
        "status": used.status,
        "successor": used.successor,
        "saved_price": dict(used.saved_price) if used.saved_price is not None else None,
        "price": dict(used.price) if used.price is not None else None,
    }


def stats_view(stats: Stats, *, is_owner: bool) -> ResourceStatistics:
    """Counts of a resource; its owner's own successes and failures, and all costs, are for its owner only."""
    shown = stats if is_owner else stats.without_own()
    view: ResourceStatistics = {
        "call_count": shown.call_count,
        "success_count_30d": shown.success_count_30d,
        "failure_count_30d": shown.failure_count_30d,
        "last_called_at": stats.last_called_at,
    }
    return {**view, "cost_usd_30d": usd_text(stats.cost_nanousd_30d)} if is_owner else view


def badges_view(model: CatalogModel | None) -> ModelBadges | None:
    """The facts about a resource's model in its details."""
    if model is None:
        return None
    names = ("openrouter_id", "display_name", "provider", "context_length", "max_tokens", "is_active", *BADGES)
    return cast(ModelBadges, {**{name: getattr(model, name) for name in names}, "pricing": dict(model.pricing)})
