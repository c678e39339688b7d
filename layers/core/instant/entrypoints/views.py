"""The shapes that callers see, made from the nouns."""

from dataclasses import fields
from typing import Any, cast

from instant.domain.api_key import ApiKey
from instant.domain.catalog import CatalogModel, ModelStatus, SyncRecord, why_unusable
from instant.domain.catalog_change import ModelChange
from instant.domain.execution import Execution, KeySource
from instant.domain.integration import Account, Beginning
from instant.domain.model_impact import UsedModel
from instant.domain.money import usd_text
from instant.domain.resource import Resource
from instant.domain.secret import Secret
from instant.domain.stats import Stats
from instant.entrypoints.answers import (
    ApiKeySummary,
    BegunConnection,
    Connection,
    ExecutionSummary,
    MintedApiKey,
    ModelDetail,
    ToldChange,
)
from instant.entrypoints.resource_answers import (
    AffectedModel,
    ListedResource,
    ModelBadges,
    PreviewedCall,
    RecentUse,
    ResourceDetail,
    ResourceFacts,
    ResourceKind,
    ResourceStatistics,
    ResourceSummary,
    UsedModelDetail,
)
from instant.resource_types import RESOURCE_TYPES, why_unsupported
from instant.resource_types.resource_type import ResourceType
from instant.use_cases.affected_resources import Affected
from instant.use_cases.browse_resources import Detail
from instant.use_cases.executions.preview import Preview

_BADGES = ("vision_supported", "tool_calling_supported", "web_search_supported")
_LISTS = ("input_modalities", "output_modalities", "supported_parameters", "price_overrides")


def resource_view(resource: Resource, viewer_id: str) -> ResourceSummary:
    """A resource; its settings are for its owner only."""
    facts = cast(ResourceSummary, facts_view(resource))
    if resource.owner_id != viewer_id:
        return facts
    return {**facts, "config": dict(resource.config), "successor_policy": resource.successor_policy}


def facts_view(resource: Resource) -> ResourceFacts:
    """A resource without its settings."""
    return {
        "resource_id": resource.resource_id,
        "resource_type": resource.resource_type,
        "address": resource.address,
        "name": resource.name,
        "slug": resource.slug,
        "description": resource.description,
        "category": resource.category,
        "visibility": resource.visibility,
        "ai_model_id": resource.ai_model_id,
        "revision": resource.revision,
        "created_at": resource.created_at,
        "updated_at": resource.updated_at,
    }


def listed_view(resource: Resource) -> ListedResource:
    """A resource in a list: a page of settings could be more than an answer may hold."""
    usage = resource.usage
    recent: RecentUse | None = {"calls": usage.calls, "successes": usage.successes} if usage else None
    return cast(ListedResource, {**facts_view(resource), "recent_use": recent})


def affected_view(affected: Affected) -> ListedResource:
    """A resource in the list of those that are affected."""
    models: list[AffectedModel] = [
        {"openrouter_id": one.openrouter_id, "status": one.status} for one in affected.models
    ]
    return cast(ListedResource, {**listed_view(affected.resource), "affected_models": models})


def detail_view(detail: Detail, viewer_id: str) -> ResourceDetail:
    """A resource with what is known around it."""
    first = next(iter(detail.used), None)
    kind, is_owner = RESOURCE_TYPES[detail.resource.resource_type], detail.resource.owner_id == viewer_id
    view = {
        **resource_view(detail.resource, viewer_id),
        "inputs_schema": kind.inputs_schema(detail.resource.config),
        "stats": stats_view(detail.stats, is_owner=is_owner),
        "model": badges_view(detail.model),
        "model_status": first.status if first else None,
        "badges": detail.badges,
    }
    affected = [used_view(one) for one in detail.used if one.status is not ModelStatus.OK]
    told = (
        {"successor": detail.used[0].successor if detail.used else None, "affected_models": affected}
        if is_owner
        else {}
    )
    return cast(ResourceDetail, {**view, **told})


def used_view(used: UsedModel) -> UsedModelDetail:
    """What became of a model, for the owner of a resource that uses it."""
    return {
        "openrouter_id": used.openrouter_id,
        "status": used.status,
        "successor": used.successor,
        "saved_price": dict(used.saved_price) if used.saved_price is not None else None,
        "price": dict(used.price) if used.price is not None else None,
    }


def preview_view(preview: Preview) -> PreviewedCall:
    """What a call would send, and cost at most."""
    return {
        "request": dict(preview.request),
        "worst_case_usd": usd_text(preview.worst_nanousd),
        "inputs_schema": dict(preview.inputs_schema),
    }


def kind_view(kind: ResourceType) -> ResourceKind:
    """A kind of resource: forms are drawn from its JSON Schemas."""
    return {
        "name": kind.name,
        "description": kind.description,
        "integration": kind.integration,
        "config_schema": kind.Config.model_json_schema(),
        "inputs_schema": kind.inputs_schema(),
    }


def stats_view(stats: Stats, *, is_owner: bool) -> ResourceStatistics:
    """Counts of a resource; what all its calls cost is for its owner only."""
    view: ResourceStatistics = {
        "call_count": stats.call_count,
        "success_count_30d": stats.success_count_30d,
        "failure_count_30d": stats.failure_count_30d,
        "last_called_at": stats.last_called_at,
    }
    return {**view, "cost_usd_30d": usd_text(stats.cost_nanousd_30d)} if is_owner else view


def model_view(model: CatalogModel, sync: SyncRecord | None = None) -> ModelDetail:
    """A model of the catalog, with all that is known."""
    view = {field.name: getattr(model, field.name) for field in fields(model)}
    lists = {name: list(view[name]) for name in _LISTS}
    badges = {name: getattr(model, name) for name in _BADGES}
    last = {"last_synced_at": sync.synced_at} if sync else {}
    return cast(
        ModelDetail, {**view, **lists, **badges, "usable": why_unusable(model, why_unsupported) is None, **last}
    )


def change_view(change: ModelChange) -> ToldChange:
    """A change of a model."""
    return {
        "openrouter_id": change.openrouter_id,
        "at": change.at,
        "kind": change.kind,
        "old": dict(change.old),
        "new": dict(change.new),
    }


def badges_view(model: CatalogModel | None) -> ModelBadges | None:
    """The few facts about a resource's model that its page shows."""
    if model is None:
        return None
    names = ("openrouter_id", "display_name", "provider", "context_length", "max_tokens", "is_active", *_BADGES)
    return cast(ModelBadges, {**{name: getattr(model, name) for name in names}, "pricing": dict(model.pricing)})


def integration_view(account: Account) -> Connection:
    """A stored key with its user's cap: never the key, only its last four characters."""
    integration = account.integration
    assert integration is not None, "an account without a key has no view"
    return {
        "service": integration.service,
        "hint": integration.hint,
        "key_sha256": integration.key_sha256,
        "label": integration.label,
        "status": integration.status,
        "is_enabled": integration.is_enabled,
        "limit_remaining_usd": integration.limit_remaining,
        "max_cost_per_call_usd": usd_text(account.cap_nanousd),
        "last_verified_at": integration.last_verified_at,
        "created_at": integration.created_at,
    }


def beginning_view(beginning: Beginning) -> BegunConnection:
    """What the client keeps; nothing of it stays here."""
    return {
        "authorize_url": beginning.authorize_url,
        "state": beginning.state,
        "code_verifier": beginning.verifier.reveal(),
    }


def api_key_view(key: ApiKey) -> ApiKeySummary:
    """One of our keys: never the key, only its last four characters."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "last4": key.last4,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def minted_view(secret: Secret, key: ApiKey) -> MintedApiKey:
    """A fresh key, shown this once."""
    return {**api_key_view(key), "api_key": secret.reveal()}


def execution_view(execution: Execution) -> ExecutionSummary:
    """An execution in a list."""
    receipt = execution.receipt
    return {
        "execution_id": execution.execution_id,
        "resource_id": execution.resource_id,
        "resource_revision": execution.resource_revision,
        "status": execution.state,
        "model": execution.model,
        "model_served": receipt.model,
        "provider": receipt.provider,
        "generation_id": receipt.generation_id,
        "key_source": KeySource(execution.key_source) if execution.key_source else None,
        "api_key_id": execution.api_key_id,
        "usage": {
            "prompt_tokens": receipt.prompt_tokens,
            "completion_tokens": receipt.completion_tokens,
            "cost_usd": usd_text(receipt.cost_nanousd),
        },
        "latency_ms": execution.latency_ms,
        "finish_reason": receipt.finish_reason,
        "error_code": execution.error_code,
        "created_at": execution.created_at,
        "finished_at": execution.finished_at,
        "reconciled_at": execution.reconciled_at,
    }


def execution_detail(execution: Execution, answer: dict[str, Any] | None) -> dict[str, Any]:
    """An execution with what its caller was answered."""
    answer = answer or {}
    return {**execution_view(execution), "output": answer.get("output"), "error": answer.get("error")}
