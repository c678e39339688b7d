"""The model catalog: how it is asked for, and how its rows are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from instant.domain.catalog import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.integrations.openrouter.wire import BASE_URL, count, mapping, parse, sequence, text

MAX_CATALOG_BYTES = 20_000_000
"""Longest catalog that is read, in bytes; real ones have 0.4 to 0.7 MB."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the catalog as it was read; `unreadable` rows had no usable id or shape."""

    models: Sequence[CatalogModel]
    unreadable: int
    total: int | None
    next_path: str | None


def listing_request(path: str | None = None) -> Request:
    """Ask for the catalog, or for the page at `path`. The plain call lists text models only, hence `all`."""
    return Request(
        method="GET",
        base_url=BASE_URL,
        path=path or "/models?output_modalities=all",
        max_reply_bytes=MAX_CATALOG_BYTES,
    )


def read_listing(reply: Reply) -> Listing | None:
    """The page in `reply`; None if it is no catalog at all, or goes on where we do not follow."""
    body = mapping(parse(reply.body))
    rows, link = body.get("data"), text(mapping(body.get("links")).get("next"))
    next_path = _path(link)
    if reply.status != 200 or not isinstance(rows, list) or (link and next_path is None):
        return None
    models = [model for row in rows if (model := read_model(mapping(row)))]
    return Listing(
        models=models,
        unreadable=len(rows) - len(models),
        total=count(body.get("total_count")),
        next_path=next_path,
    )


def read_model(row: Mapping[str, Any]) -> CatalogModel | None:
    """One row; None if it lacks an id of two parts, a price list or an architecture."""
    openrouter_id = text(row.get("id"))
    architecture, pricing = mapping(row.get("architecture")), mapping(row.get("pricing"))
    if openrouter_id is None or openrouter_id.count("/") != 1 or not architecture or not pricing:
        return None
    top_provider = mapping(row.get("top_provider"))
    return CatalogModel(
        openrouter_id=openrouter_id,
        canonical_slug=text(row.get("canonical_slug")) or openrouter_id,
        display_name=text(row.get("name")) or openrouter_id,
        provider=openrouter_id.split("/")[0],
        description=text(row.get("description")) or "",
        released_at=count(row.get("created")),
        context_length=count(row.get("context_length")) or None,
        max_tokens=count(top_provider.get("max_completion_tokens")) or None,
        input_modalities=_words(architecture.get("input_modalities")),
        output_modalities=_words(architecture.get("output_modalities")),
        supported_parameters=_words(row.get("supported_parameters")),
        default_parameters=_defaults(mapping(row.get("default_parameters"))),
        pricing={key: value for key, value in pricing.items() if isinstance(value, str)},
        price_overrides=tuple(_tier(mapping(tier)) for tier in sequence(pricing.get("overrides"))),
        expiration_date=text(row.get("expiration_date")),
        alias_target=text(mapping(row.get("alias_target")).get("slug")),
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(sorted({word for item in sequence(value) if (word := text(item))}))


def _defaults(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value, float) for name, value in row.items() if value is not None}


def _tier(row: Mapping[str, Any]) -> dict[str, Any]:
    """One conditional price list; an amount given as a number becomes a string like all others."""
    return {key: _plain(value, str) for key, value in row.items()}


def _plain(value: Any, number: Callable[[Decimal], float | str]) -> Any:
    """`value` with each Decimal in it as a `number` that JSON can hold."""
    match value:
        case Decimal():
            return number(value)
        case list():
            return [_plain(item, number) for item in value]
        case dict():
            return {key: _plain(item, number) for key, item in value.items()}
    return value


def _path(link: str | None) -> str | None:
    """The part of a link behind the base URL; a link that leads elsewhere has none and is not followed."""
    if link is None:
        return None
    path = "/models" + link.split("/models", 1)[1] if "/models" in link else None
    return path if path and path.startswith("/models?") else None
