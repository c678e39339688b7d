"""Who serves a model, how well and at what price, as the service measured it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One provider's endpoint for a model; numbers are text, exactly as given, and None where the service says nothing.

    `status` is 0 when all is well and below when it is not; uptime is percent of the last day, latency milliseconds
    to the first token and throughput tokens a second, both medians of the last half hour; prices are USD per unit.
    """

    provider: str
    tag: str | None = None
    status: int | None = None
    uptime_1d: str | None = None
    latency_ms: str | None = None
    throughput: str | None = None
    context_length: int | None = None
    max_tokens: int | None = None
    quantization: str | None = None
    pricing: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEndpoints:
    """A model's endpoints as they were at `read_at`."""

    openrouter_id: str
    read_at: str
    endpoints: tuple[Endpoint, ...]
