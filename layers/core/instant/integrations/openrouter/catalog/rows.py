"""Reads one row of the catalog; a field of an unknown shape is left out, and the rest of the row is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from json import dumps
from typing import Any

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import PRICE_KEYS
from instant.domain.money import parse_usd
from instant.integrations.openrouter.catalog.values import has_unreadable
from instant.integrations.openrouter.parsing import amount_text, count, mapping, sequence, text

MAX_ROW_BYTES = 20_000
"""Maximum size of what is kept of a row in bytes; real rows have at most 4,000. A DynamoDB item can have 400,000."""

MAX_ID_BYTES = 1_000
"""Maximum length of an id and a canonical slug; real ones have at most 70. A DynamoDB key can have 2,048."""

MAX_PRICE_CHARACTERS = 100
"""Maximum length of the text that is kept of a price that is no amount."""

CURRENCY = "USD"

_NO_PRICES = {"discount", "overrides"}


class RowSkipped(Exception):
    """The row is well-formed but cannot be used: its prices are in another currency, or a value cannot be kept."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model, and the fields of its row that have an unknown shape.

    `unread` are the facts of the model that these fields would have set.
    """

    model: CatalogModel
    left_out: tuple[str, ...]
    unread: frozenset[str]


def read_row(row: Mapping[str, Any]) -> Row | None:
    """One row; None if it has no id of two parts, no prices or no architecture, or is too long.

    Raises `RowSkipped` for a row that must not be used. Fields can be added, removed or null without notice.
    """
    openrouter_id = row_id(row)
    given, pricing = row.get("architecture"), mapping(row.get("pricing"))
    if openrouter_id is None or openrouter_id.count("/") != 1 or given in (None, {}) or not pricing:
        return None
    _refuse_unusable(row, pricing)
    fields = _Fields()
    architecture = fields.fields_of("architecture", given, "input_modalities", "output_modalities")
    top = fields.fields_of("top_provider", row.get("top_provider"), "max_tokens", "top_context_length", "is_moderated")
    model = CatalogModel(
        openrouter_id=openrouter_id,
        canonical_slug=_key(row.get("canonical_slug")) or openrouter_id,
        display_name=text(row.get("name")) or openrouter_id,
        provider=openrouter_id.split("/")[0],
        description=text(row.get("description")) or "",
        released_at=count(row.get("created")),
        context_length=fields.length("context_length", row.get("context_length"), "context_length"),
        max_tokens=fields.length("top_provider.max_completion_tokens", top.get("max_completion_tokens"), "max_tokens"),
        top_context_length=fields.length(
            "top_provider.context_length", top.get("context_length"), "top_context_length"
        ),
        input_modalities=fields.words("architecture.input_modalities", architecture.get("input_modalities")),
        output_modalities=fields.words("architecture.output_modalities", architecture.get("output_modalities")),
        supported_parameters=fields.words("supported_parameters", row.get("supported_parameters")),
        supported_voices=_words(sequence(row.get("supported_voices"))),
        default_parameters=_defaults(mapping(row.get("default_parameters"))),
        pricing=fields.prices(pricing),
        price_overrides=fields.overrides(pricing.get("overrides")),
        discount=amount_text(pricing.get("discount")),
        reasoning=_plain(dict(mapping(row.get("reasoning"))), float),
        expiration_date=text(row.get("expiration_date")),
        knowledge_cutoff=text(row.get("knowledge_cutoff")),
        alias_target=text(mapping(row.get("alias_target")).get("slug")),
        is_moderated=top["is_moderated"] if isinstance(top.get("is_moderated"), bool) else None,
    )
    read = Row(model, tuple(sorted(fields.left_out)), frozenset(fields.unread))
    return read if len(repr(read).encode(errors="replace")) <= MAX_ROW_BYTES else None


def row_id(row: Mapping[str, Any]) -> str | None:
    """The id of a row; None if it cannot be used as a table key."""
    return _key(row.get("id"))


@dataclass(slots=True)
class _Fields:
    """Reads fields, and records those of an unknown shape with the facts that they would have set."""

    left_out: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    def fields_of(self, name: str, value: object, *facts: str) -> Mapping[str, Any]:
        """An object; empty for null and for another shape."""
        if value is not None and not isinstance(value, dict):
            self._leave_out(name, *facts)
        return mapping(value)

    def length(self, name: str, value: object, fact: str) -> int | None:
        """A number of tokens; None for null, for 0 and for another shape."""
        if value is not None and count(value) is None:
            self._leave_out(name, fact)
        return count(value) or None

    def words(self, name: str, value: object) -> tuple[str, ...]:
        """A sorted list of words, named as the fact that it sets."""
        if value is not None and not isinstance(value, list):
            self._leave_out(name, name.rpartition(".")[2])
        return _words(sequence(value))

    def prices(self, pricing: Mapping[str, Any]) -> dict[str, str]:
        """The prices that are set.

        Every amount is kept, and so is the text of a known price that is no amount: it must not count as no price.
        """
        found: dict[str, str] = {}
        for key, value in pricing.items():
            if value is None or key in _NO_PRICES:
                continue
            if key in PRICE_KEYS or (not isinstance(value, bool) and parse_usd(value) is not None):
                found[key] = _price_text(value)
            if parse_usd(value) is None:
                self._leave_out(f"pricing.{key[:MAX_PRICE_CHARACTERS]}")
        return found

    def overrides(self, value: object) -> tuple[Mapping[str, Any], ...]:
        """The conditional prices; a list with another shape is left out as a whole."""
        if value is not None and not (isinstance(value, list) and all(isinstance(tier, dict) for tier in value)):
            self._leave_out("pricing.overrides", "price_overrides")
            return ()
        return tuple(_tier(tier) for tier in sequence(value))

    def _leave_out(self, name: str, *facts: str) -> None:
        self.left_out.add(name)
        self.unread.update(facts)


def _refuse_unusable(row: Mapping[str, Any], pricing: Mapping[str, Any]) -> None:
    if has_unreadable(row):
        raise RowSkipped("a value is nested too deep or no number")
    tiers = (tier for tier in sequence(pricing.get("overrides")) if isinstance(tier, dict))
    for place in (row, pricing, *tiers):
        currency = place.get("currency")
        if currency is not None and not (isinstance(currency, str) and currency.strip().upper() == CURRENCY):
            raise RowSkipped(f"the currency is not {CURRENCY}")


def _price_text(price: object) -> str:
    """The price exactly as given; a number is converted to text, and so is any other JSON, cut."""
    if isinstance(price, str):
        return price if parse_usd(price) is not None else (text(price) or "?")[:MAX_PRICE_CHARACTERS]
    return amount_text(price) or dumps(price, default=str)[:MAX_PRICE_CHARACTERS]


def _words(values: list[Any]) -> tuple[str, ...]:
    return tuple(sorted({word for item in values if (word := text(item))}))


def _defaults(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value, float) for name, value in row.items() if value is not None}


def _tier(row: Mapping[str, Any]) -> dict[str, Any]:
    """One conditional price list; an amount given as a number is converted to text."""
    return {
        key: _price_text(value) if key in PRICE_KEYS and value is not None else _plain(value, str)
        for key, value in row.items()
        if key != "currency"
    }


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


def _key(value: object) -> str | None:
    """The text, if it can be used as a table key."""
    name = text(value)
    return name if name and len(name.encode()) <= MAX_ID_BYTES else None
