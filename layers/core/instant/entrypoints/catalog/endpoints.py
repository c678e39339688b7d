"""Response bodies of model endpoints."""

from dataclasses import asdict
from typing import Annotated, TypedDict, cast

from pydantic import Field

from instant.domain.catalog.endpoint import ModelEndpoints
from instant.entrypoints.http.fields import Time


class ModelEndpointView(TypedDict):
    """One provider's endpoint of a model; numbers of the service are strings, null if unknown."""

    provider: str
    tag: str | None
    status: Annotated[int | None, Field(description="0 means healthy; negative values mean degraded.")]
    uptime_1d: Annotated[str | None, Field(description="Percent, over the last 24 hours.")]
    latency_ms: Annotated[str | None, Field(description="Time to the first token; median of 30 minutes.")]
    throughput: Annotated[str | None, Field(description="Tokens per second; median of 30 minutes.")]
    context_length: int | None
    max_tokens: int | None
    quantization: str | None
    pricing: dict[str, str]


class ModelEndpointsView(TypedDict):
    """The endpoints of a model, as of `read_at`."""

    openrouter_id: str
    read_at: Time
    endpoints: list[ModelEndpointView]


def model_endpoints_view(model_endpoints: ModelEndpoints) -> ModelEndpointsView:
    """The endpoints of a model."""
    endpoints = [cast(ModelEndpointView, asdict(endpoint)) for endpoint in model_endpoints.endpoints]
    return {"openrouter_id": model_endpoints.openrouter_id, "read_at": model_endpoints.read_at, "endpoints": endpoints}
