"""Details of one model: GET /model/{author}/{slug} and GET /models/{author}/{slug}/endpoints."""

from decimal import Decimal

from tests.fakes.openrouter.chat.completion import provider
from tests.fakes.openrouter.chat.routing import find
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import error, not_found
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import Reply, json_reply
from tests.fakes.openrouter.world import World

_DESCRIBED = ("id", "name", "created", "description", "architecture")


def model(world: World, arrival: Arrival) -> Reply:
    """The row of an id or canonical slug; 404 if there is none."""
    return json_reply(200, {"data": _row(world, arrival.path.split("/model/", 1)[1])})


def endpoints(world: World, arrival: Arrival) -> Reply:
    """The endpoints of a model, the most expensive last; routers have none."""
    name = arrival.path.split("/models/", 1)[1].removesuffix("/endpoints")
    row = _row(world, name)
    measured = "authorization" in arrival.headers
    served = [] if row["architecture"].get("tokenizer") == "Router" else _endpoints(row, measured)
    return json_reply(200, {"data": {**{key: row[key] for key in _DESCRIBED}, "endpoints": served}})


def _row(world: World, name: str) -> Json:
    row = find(world.catalog, name)
    if row is None:
        raise error(404, f"Model {name} does not exist") if "/" in name else not_found()
    return row


def _endpoints(row: Json, measured: bool) -> list[Json]:
    expensive = {key: _scaled(price) if isinstance(price, str) else price for key, price in row["pricing"].items()}
    return [
        _endpoint(row, provider(row), row["pricing"], measured),
        _endpoint(row, "Northwind", expensive, measured),
    ]


def _scaled(price: str) -> str:
    return f"{Decimal(price) * Decimal('1.5'):f}"


def _endpoint(row: Json, name: str, pricing: Json, measured: bool) -> Json:
    top = row["top_provider"]
    return {
        "name": f"{name} | {row['canonical_slug']}",
        "model_id": row["canonical_slug"],
        "model_name": row["name"],
        "context_length": top.get("context_length") or row["context_length"] or 0,
        "pricing": {**pricing, "discount": 0},
        "provider_name": name,
        "tag": name.lower().replace(" ", "-"),
        "quantization": "unknown",
        "max_completion_tokens": top.get("max_completion_tokens"),
        "max_prompt_tokens": None,
        "supported_parameters": row["supported_parameters"],
        "status": 0,
        "uptime_last_5m": 100,
        "uptime_last_30m": 99.9,
        "uptime_last_1d": 99.7,
        "supports_implicit_caching": False,
        "latency_last_30m": _percentiles(300, 420, 700, 1500) if measured else None,
        "throughput_last_30m": _percentiles(60, 48, 31, 12) if measured else None,
    }


def _percentiles(p50: int, p75: int, p90: int, p99: int) -> Json:
    return {"p50": p50, "p75": p75, "p90": p90, "p99": p99}
