"""Providers of a model, with prices and performance as the service measured them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One provider's endpoint for a model; numbers are text, exactly as given, and None where the service has no value.

    `status` is 0 when the endpoint is healthy and negative when it is not. Uptime is percent of the last day; latency
    (milliseconds to the first token) and throughput (tokens per second) are medians of the last half hour. Prices are
    USD per unit.
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
    """A model's endpoints as of `read_at`."""

    openrouter_id: str
    read_at: str
    endpoints: tuple[Endpoint, ...]
