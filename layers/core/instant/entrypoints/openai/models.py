"""GET /v1/models: resources as models, with the fields that clients of OpenAI and OpenRouter require."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import unquote, urlencode

from pydantic import Field

from instant.domain.access.identity import handle_of
from instant.domain.catalog.model import CatalogModel
from instant.domain.clock import parse_time
from instant.entrypoints.http.fields import JsonObject
from instant.entrypoints.openai.named_resource import resource_of
from instant.use_cases.resources.executable import Executable

_NO_PRICE = "-1"
"""As OpenRouter writes a price that is not known in advance."""


class Architecture(TypedDict):
    """What the model takes and returns."""

    modality: str | None
    input_modalities: list[str]
    output_modalities: list[str]
    instruct_type: None


class TopProvider(TypedDict):
    """Limits of the provider that serves most calls."""

    context_length: int | None
    max_completion_tokens: int | None
    is_moderated: bool


class ModelLinks(TypedDict):
    """Where more is known of the resource."""

    details: str


class CatalogFacts(TypedDict):
    """What the catalog says of a model; prices are in USD per token."""

    context_length: int | None
    architecture: Architecture
    pricing: dict[str, str]
    top_provider: TopProvider
    per_request_limits: None
    supported_parameters: list[str]
    supported_voices: None
    default_parameters: JsonObject | None
    knowledge_cutoff: str | None
    expiration_date: str | None


class ModelRow(CatalogFacts):
    """A resource as a model, with the facts of the model that it uses."""

    id: Annotated[str, Field(description="handle/slug.")]
    object: Literal["model"]
    created: int
    owned_by: Annotated[str, Field(description="The handle of the owner.")]
    name: str
    description: str
    canonical_slug: str
    resource_id: str
    resource_type: str
    model: Annotated[str | None, Field(description="The model that it uses, if it uses one.")]
    links: ModelLinks


class ListLinks(TypedDict):
    """The next page; null on the last one."""

    next: str | None


class ModelList(TypedDict):
    """The caller's own resources, then public ones."""

    object: Literal["list"]
    data: list[ModelRow]
    total_count: int
    links: ListLinks


def model_list(found: Sequence[Executable], offset: int, limit: int, address: str) -> ModelList:
    """One page of the list."""
    end = offset + limit
    query = urlencode({"offset": end, "limit": limit})
    return {
        "object": "list",
        "data": [model_row(each, address) for each in found[offset:end]],
        "total_count": len(found),
        "links": {"next": f"{address}/v1/models?{query}" if end < len(found) else None},
    }


def named_in_path(*parts: str) -> dict[str, Any]:
    """The resource that the last parts of a path name; the gateway leaves them percent-encoded."""
    return resource_of(unquote("/".join(parts)))


def model_row(found: Executable, address: str) -> ModelRow:
    """A resource as a model."""
    resource, model = found.resource, found.model
    return {
        "id": resource.address,
        "object": "model",
        "created": int(parse_time(resource.created_at).timestamp()),
        "owned_by": handle_of(resource.owner_id),
        "name": resource.name,
        "description": resource.description or "",
        "canonical_slug": resource.address,
        "resource_id": resource.resource_id,
        "resource_type": resource.resource_type,
        "model": resource.ai_model_id,
        **_facts(model),
        "links": {"details": f"{address}/api/resources/{resource.resource_id}"},
    }


def _facts(model: CatalogModel | None) -> CatalogFacts:
    """What the catalog says of the model; nothing, if it is not there or there is none."""
    takes = list(model.input_modalities) if model else []
    returns = list(model.output_modalities) if model else []
    return {
        "context_length": model.context_length if model else None,
        "architecture": {
            "modality": f"{'+'.join(takes)}->{'+'.join(returns)}" if returns else None,
            "input_modalities": takes,
            "output_modalities": returns,
            "instruct_type": None,
        },
        "pricing": {"prompt": _NO_PRICE, "completion": _NO_PRICE, **(model.pricing if model else {})},
        "top_provider": {
            "context_length": model.top_context_length if model else None,
            "max_completion_tokens": model.max_tokens if model else None,
            "is_moderated": bool(model and model.is_moderated),
        },
        "per_request_limits": None,
        "supported_parameters": list(model.supported_parameters) if model else [],
        "supported_voices": None,
        "default_parameters": dict(model.default_parameters) if model and model.default_parameters else None,
        "knowledge_cutoff": model.knowledge_cutoff if model else None,
        "expiration_date": model.expiration_date if model else None,
    }
