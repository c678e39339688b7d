"""The model catalog: its requests, and the parsing of its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from instant.domain.catalog.model import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.domain.json_values import is_deeper
from instant.domain.money import parse_usd
from instant.integrations.openrouter.parsing import NAME, amount_text, count, mapping, parse, sequence, text

MAX_CATALOG_BYTES = 20_000_000
"""Maximum size of a catalog in bytes; real ones have 0.4 to 0.7 MB."""

MAX_ROW_BYTES = 20_000
"""Maximum size of a row in bytes; real ones have at most 4,000. A DynamoDB item can have 400,000."""

MAX_ROW_DEPTH = 32
"""Maximum nesting of a row; real ones are nested 4 deep. Rows are serialized by code that recurses."""

MAX_ID_BYTES = 1_000
"""Maximum length of an id and a canonical slug; real ones have at most 70. A DynamoDB key can have 2,048."""

_NO_PRICES = {"discount", "overrides"}


@dataclass(frozen=True, slots=True)
class Listing:
    """One parsed page of the catalog; `unreadable` has the ids of rows that failed to parse ("" without an id).

    `validator` is the service's ETag of the page, else a hash of the page.
    """

    models: Sequence[CatalogModel]
    unreadable: Sequence[str]
    total: int | None
    next_path: str | None
    validator: str


def listing_request(path: str | None = None, validator: str | None = None) -> Request:
    """Request the catalog, or its page at `path`. The default lists only text models, hence `all`.

    With the ETag of a page as `validator`, the response is a 304 without a body while the page is unchanged.
    """
    return Request(
        method="GET",
        integration=NAME,
        path=path or "/models?output_modalities=all",
        headers={"If-None-Match": validator} if validator and validator.endswith('"') else {},
        max_reply_bytes=MAX_CATALOG_BYTES,
    )


def is_unchanged(reply: Reply, validator: str | None) -> bool:
    """Whether the page in the reply is the one that `validator` identifies."""
    return validator is not None and (reply.status == 304 or (reply.status == 200 and _validator(reply) == validator))


def read_listing(reply: Reply) -> Listing | None:
    """The page in `reply`; None if it is not a catalog, or its link to the next page is not a catalog path."""
    body = mapping(parse(reply))
    rows, link = body.get("data"), text(mapping(body.get("links")).get("next"))
    next_path = _path(link)
    if reply.status != 200 or not isinstance(rows, list) or (link and next_path is None):
        return None
    read = [(row, read_model(mapping(row))) for row in rows]
    return Listing(
        models=[model for _, model in read if model],
        unreadable=[text(mapping(row).get("id")) or "" for row, model in read if model is None],
        total=count(body.get("total_count")),
        next_path=next_path,
        validator=_validator(reply),
    )


def read_model(row: Mapping[str, Any]) -> CatalogModel | None:
    """One row; None if it has no id of two parts, no prices or no architecture, or if a field has the wrong type.

    A row that is nested too deeply is None, too. Fields can be added, removed or null without notice. But a field that
    determines costs or capabilities is never guessed when its type is unexpected.
    """
    if is_deeper(row, MAX_ROW_DEPTH):
        return None
    openrouter_id = _key(row.get("id"))
    architecture, pricing = mapping(row.get("architecture")), mapping(row.get("pricing"))
    if openrouter_id is None or openrouter_id.count("/") != 1 or not architecture or not pricing:
        return None
    if not _is_sound(row, architecture, pricing):
        return None
    top_provider = mapping(row.get("top_provider"))
    return CatalogModel(
        openrouter_id=openrouter_id,
        canonical_slug=_key(row.get("canonical_slug")) or openrouter_id,
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
        pricing={key: _price_text(price) for key, price in _amounts(pricing).items()},
        price_overrides=tuple(_tier(mapping(tier)) for tier in sequence(pricing.get("overrides"))),
        discount=amount_text(pricing.get("discount")),
        reasoning=_plain(dict(mapping(row.get("reasoning"))), float),
        expiration_date=text(row.get("expiration_date")),
        alias_target=text(mapping(row.get("alias_target")).get("slug")),
    )


def _is_sound(row: Mapping[str, Any], architecture: Mapping[str, Any], pricing: Mapping[str, Any]) -> bool:
    lengths = (row.get("context_length"), _inside(row.get("top_provider"), "max_completion_tokens"))
    lists = (
        row.get("supported_parameters"),
        architecture.get("input_modalities"),
        architecture.get("output_modalities"),
        pricing.get("overrides"),
    )
    return (
        all(length is None or count(length) is not None for length in lengths)
        and all(words is None or isinstance(words, list) for words in lists)
        and all(parse_usd(price) is not None for price in _amounts(pricing).values())
        and len(repr(row).encode(errors="replace")) <= MAX_ROW_BYTES
    )


def _inside(value: object, key: str) -> object:
    """The value under `key` of an object; a value that is not an object is returned unchanged."""
    return value.get(key) if isinstance(value, dict) else value


def _amounts(pricing: Mapping[str, Any]) -> dict[str, Any]:
    """The prices that are set, without entries that are not prices."""
    return {key: price for key, price in pricing.items() if price is not None and key not in _NO_PRICES}


def _price_text(price: object) -> str:
    """The price exactly as given; a number is converted to text."""
    return price if isinstance(price, str) else amount_text(price) or ""


def _validator(reply: Reply) -> str:
    return reply.headers.get("etag") or sha256(reply.body).hexdigest()


def _words(value: object) -> tuple[str, ...]:
    return tuple(sorted({word for item in sequence(value) if (word := text(item))}))


def _defaults(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value, float) for name, value in row.items() if value is not None}


def _tier(row: Mapping[str, Any]) -> dict[str, Any]:
    """One conditional price list; an amount given as a number is converted to text."""
    return {key: _plain(value, str) for key, value in row.items()}


def _plain(value: Any, number: Callable[[Decimal], float | str]) -> Any:
    """`value` with each Decimal converted by `number`, so that it can be serialized as JSON."""
    match value:
        case Decimal():
            return number(value)
        case list():
            return [_plain(item, number) for item in value]
        case dict():
            return {key: _plain(item, number) for key, item in value.items()}
    return value


def _path(link: str | None) -> str | None:
    """The catalog path and query in a link; None for any other link, which is not followed."""
    if link is None:
        return None
    path = "/models" + link.split("/models", 1)[1] if "/models" in link else None
    return path if path and path.startswith("/models?") else None


def _key(value: object) -> str | None:
    """The text, if it can be used as a table key."""
    name = text(value)
    return name if name and len(name.encode()) <= MAX_ID_BYTES else None
