"""GET /models, /models/user and /models/count: filters and pages of the catalog."""

import hashlib
from collections.abc import Callable
from urllib.parse import urlencode

from tests.fakes.openrouter.exact_json import Json, encode
from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import JSON_TYPE, Reply, json_reply
from tests.fakes.openrouter.world import World

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000

Query = dict[str, str]


def models(world: World, arrival: Arrival) -> Reply:
    """GET /models: requires no key; returns models with text output unless `output_modalities` is given."""
    if world.catalog_script:
        return world.catalog_script.reply()
    body = encode(_page(matching(world.catalog, arrival.query), arrival))
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**JSON_TYPE, "ETag": tag}
    known = arrival.headers.get("if-none-match", "")
    if tag in (item.strip() for item in known.split(",")):
        return Reply(304, headers)
    return Reply(200, headers, (body,))


def models_of_user(world: World, arrival: Arrival) -> Reply:
    """GET /models/user: the same list; requires a key."""
    world.accounts.authenticate(arrival)
    return models(world, arrival)


def count(world: World, arrival: Arrival) -> Reply:
    """GET /models/count."""
    return json_reply(200, {"data": {"count": len(matching(world.catalog, arrival.query))}})


def matching(catalog: list[Json], query: Query) -> list[Json]:
    """The rows that match the filters of a query, newest first."""
    wanted = {"output_modalities": "text", **query}
    rows = [row for row in catalog if all(keep(row, wanted.get(key)) for key, keep in _FILTERS.items())]
    return sorted(rows, key=lambda row: -int(row.get("created", 0)))


def _makes(row: Json, wanted: str | None) -> bool:
    outputs = row.get("architecture", {}).get("output_modalities", [])
    return wanted == "all" or bool(_split(wanted) & set(outputs))


def _takes(row: Json, wanted: str | None) -> bool:
    return _split(wanted) <= set(row.get("architecture", {}).get("input_modalities", []))


def _accepts(row: Json, wanted: str | None) -> bool:
    return _split(wanted) <= set(row.get("supported_parameters", []))


def _named(row: Json, wanted: str | None) -> bool:
    return (wanted or "").lower() in f"{row.get('id')} {row.get('name')}".lower()


_FILTERS: dict[str, Callable[[Json, str | None], bool]] = {
    "output_modalities": _makes,
    "input_modalities": _takes,
    "supported_parameters": _accepts,
    "q": _named,
}


def _split(value: str | None) -> set[str]:
    return {item.strip() for item in (value or "").split(",") if item.strip()}


def _page(rows: list[Json], arrival: Arrival) -> Json:
    """The whole list, or one page if `offset` or `limit` is given."""
    offset, limit = 0, len(rows)
    if {"offset", "limit"} & set(arrival.query):
        offset = _number(arrival.query, "offset", 0, 0, 10**9)
        limit = _number(arrival.query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    end = offset + limit
    onward = urlencode({**arrival.query, "offset": end, "limit": limit}, safe=",")
    following = f"{arrival.path}?{onward}" if end < len(rows) else None
    return {"data": rows[offset:end], "total_count": len(rows), "links": {"next": following}}


def _number(query: Query, key: str, default: int, least: int, most: int) -> int:
    text = query.get(key, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise error(400, f"Invalid {key}: expected a whole number from {least} to {most}")
    return int(text)
