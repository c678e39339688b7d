"""The endpoints of a model: their request, and the parsing of the response."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from instant.domain.catalog.endpoint import Endpoint
from instant.domain.exchange import Reply, Request
from instant.integrations.openrouter.parsing import NAME, amount_text, count, fact, mapping, parse, sequence

MAX_ENDPOINTS = 100
"""Maximum endpoints of one model; real models have at most a few dozen."""


def endpoints_request(openrouter_id: str) -> Request:
    """Request the endpoints of a model; needs no key."""
    return Request(method="GET", integration=NAME, path=f"/models/{quote(openrouter_id, safe='/~:')}/endpoints")


def read_endpoints(reply: Reply) -> tuple[Endpoint, ...] | None:
    """The endpoints in the reply, in its order; None if it is not such a list. Routers have no endpoints."""
    rows = mapping(mapping(parse(reply)).get("data")).get("endpoints")
    if reply.status != 200 or not isinstance(rows, list) or len(rows) > MAX_ENDPOINTS:
        return None
    return tuple(endpoint for row in sequence(rows) if (endpoint := _endpoint(mapping(row))))


def _endpoint(row: Mapping[str, Any]) -> Endpoint | None:
    provider = fact(row.get("provider_name"))
    if provider is None:
        return None
    status = row.get("status")
    return Endpoint(
        provider=provider,
        tag=fact(row.get("tag")),
        status=status if isinstance(status, int) and not isinstance(status, bool) else None,
        uptime_1d=amount_text(row.get("uptime_last_1d")),
        latency_ms=_median(row.get("latency_last_30m")),
        throughput=_median(row.get("throughput_last_30m")),
        context_length=count(row.get("context_length")),
        max_tokens=count(row.get("max_completion_tokens")),
        quantization=fact(row.get("quantization")),
        pricing={key: price for key, price in _prices(mapping(row.get("pricing"))) if price is not None},
    )


def _prices(pricing: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Prices exactly as given; entries that are not amounts are omitted."""
    amounts = (
        (key, price) for key, price in pricing.items() if isinstance(price, str | int | Decimal) and fact(key) == key
    )
    return [
        (key, price if isinstance(price, str) and amount_text(price) else amount_text(price)) for key, price in amounts
    ]


def _median(value: object) -> str | None:
    return amount_text(mapping(value).get("p50"))
