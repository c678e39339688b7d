"""Response bodies of catalog models."""

from dataclasses import fields
from typing import Annotated, NotRequired, TypedDict, cast

from pydantic import Field

from instant.domain.catalog.model import CatalogModel, SyncRecord, why_unusable
from instant.entrypoints.http.fields import JsonObject, Time
from instant.resource_types import why_unsupported

BADGES = ("vision_supported", "tool_calling_supported", "web_search_supported")
_LISTS = ("input_modalities", "output_modalities", "supported_parameters", "supported_voices", "price_overrides")


class ModelDetail(TypedDict):
    """A model of the catalog; prices are strings in USD per token."""

    openrouter_id: str
    canonical_slug: str
    display_name: str
    provider: Annotated[str, Field(description="The author: the first part of the id.")]
    description: str
    released_at: int | None
    context_length: int | None
    max_tokens: int | None
    top_context_length: Annotated[
        int | None, Field(description="The context of the provider that serves most calls; it can be shorter.")
    ]
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str]
    supported_voices: list[str]
    default_parameters: JsonObject
    pricing: dict[str, str]
    price_overrides: list[JsonObject]
    discount: Annotated[str | None, Field(description="The service's number, as a string.")]
    reasoning: Annotated[JsonObject, Field(description="The supported reasoning options; empty if unknown.")]
    expiration_date: str | None
    knowledge_cutoff: str | None
    is_moderated: Annotated[bool | None, Field(description="Whether that provider moderates inputs; null if unknown.")]
    alias_target: str | None
    is_active: bool
    missing_since: Annotated[
        Time | None,
        Field(description="Not listed since then; still active for seven days, or until its announced end."),
    ]
    price_held: Annotated[
        dict[str, str], Field(description="Implausible new prices by key that are not applied yet; else empty.")
    ]
    price_held_since: Time | None
    vision_supported: bool
    tool_calling_supported: bool
    web_search_supported: bool
    usable: Annotated[bool, Field(description="Whether a resource can use it.")]
    last_synced_at: NotRequired[Time]


def model_view(model: CatalogModel, sync: SyncRecord | None = None) -> ModelDetail:
    """A model of the catalog, with all that is known."""
    view = {field.name: getattr(model, field.name) for field in fields(model) if field.compare}
    lists = {name: list(view[name]) for name in _LISTS}
    badges = {name: getattr(model, name) for name in BADGES}
    last = {"last_synced_at": sync.synced_at} if sync else {}
    return cast(
        ModelDetail, {**view, **lists, **badges, "usable": why_unusable(model, why_unsupported) is None, **last}
    )
