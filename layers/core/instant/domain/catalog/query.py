"""Filters of the catalog, and the values of a model that they compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from instant.domain.catalog.model import CatalogModel, announced_end
from instant.domain.catalog.pricing import price

type Condition = Callable[["Entry"], bool]

_TOKENS_AND_REQUESTS = ("prompt", "completion", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """A filter of models; None matches all.

    A model matches any of `authors`, and all of the modalities and parameters. Prices are USD per prompt token. The
    date bounds of release and announced end are inclusive.
    """

    text: str | None = None
    authors: frozenset[str] | None = None
    input_modalities: frozenset[str] | None = None
    output_modalities: frozenset[str] | None = None
    supported_parameters: frozenset[str] | None = None
    min_context: int | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    free: bool | None = None
    active: bool | None = True
    released_since: date | None = None
    released_until: date | None = None
    ends_by: date | None = None
    outlasts: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with precomputed values for comparison.

    `price` is the price of a prompt token in USD; None for routers, whose price varies.
    """

    model: CatalogModel
    words: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    parameters: frozenset[str]
    price: Decimal | None
    is_free: bool
    released_on: date | None
    ends_on: date | None


def entry_of(model: CatalogModel) -> Entry:
    """The entry of a model."""
    return Entry(
        model,
        words=f"{model.openrouter_id}\n{model.display_name}\n{model.description}".lower(),
        inputs=frozenset(model.input_modalities),
        outputs=frozenset(model.output_modalities),
        parameters=frozenset(model.supported_parameters),
        price=price(model.pricing.get("prompt")),
        is_free=is_free(model),
        released_on=_day(model.released_at),
        ends_on=announced_end(model),
    )


def is_free(model: CatalogModel) -> bool:
    """Whether its tokens, requests and own searches have no price; the service may still charge for media."""
    return model.own_searches == 0 and all(
        price(model.pricing[key]) == 0 for key in _TOKENS_AND_REQUESTS if key in model.pricing
    )


def conditions(query: ModelQuery) -> Sequence[Condition]:
    """The conditions of the filters that are set."""
    asked = ((name, getattr(query, name)) for name in _CONDITIONS)
    return [partial(_CONDITIONS[name], wanted) for name, wanted in asked if wanted is not None]


def _day(seconds: int | None) -> date | None:
    """The UTC day of a Unix time in seconds; None if there is none, or it is out of range."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date() if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


_CONDITIONS: dict[str, Callable[[Any, Entry], bool]] = {
    "active": lambda wanted, entry: entry.model.is_active is wanted,
    "authors": lambda wanted, entry: entry.model.provider in wanted,
    "input_modalities": lambda wanted, entry: wanted <= entry.inputs,
    "output_modalities": lambda wanted, entry: wanted <= entry.outputs,
    "supported_parameters": lambda wanted, entry: wanted <= entry.parameters,
    "min_context": lambda wanted, entry: (entry.model.context_length or 0) >= wanted,
    "min_price": lambda wanted, entry: entry.price is not None and entry.price >= wanted,
    "max_price": lambda wanted, entry: entry.price is not None and entry.price <= wanted,
    "free": lambda wanted, entry: entry.is_free is wanted,
    "released_since": lambda wanted, entry: entry.released_on is not None and entry.released_on >= wanted,
    "released_until": lambda wanted, entry: entry.released_on is not None and entry.released_on <= wanted,
    "ends_by": lambda wanted, entry: entry.ends_on is not None and entry.ends_on <= wanted,
    "outlasts": lambda wanted, entry: entry.ends_on is None or entry.ends_on > wanted,
    "text": lambda wanted, entry: wanted.lower() in entry.words,
}
"""By filter name: whether an entry matches the filter's value."""
