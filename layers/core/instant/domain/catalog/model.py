"""A catalog model: its capabilities, its prices, and whether a resource can use it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from instant.domain.catalog.not_listed import NOT_LISTED
from instant.domain.money import parse_usd

NEAR_END = timedelta(days=30)
"""How long before a model's announced end its status becomes a warning."""

_NEVER = 2090
"""An end date in or after this year means "never": 2098-12-31 and 9999-01-01 occur."""


class ModelStatus(StrEnum):
    """The status of a resource's model."""

    OK = "ok"
    EXPIRING = "expiring"
    MISSING = "missing"
    GONE = "gone"
    UNUSABLE = "unusable"
    PRICE_CHANGED = "price_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """One model as the service lists it; prices are strings in USD per token, exactly as given.

    `provider` is the author, the first part of the id. `max_tokens` is the maximum answer length, `context_length` the
    maximum of input and output together; `top_context_length` and `is_moderated` are those of the provider that serves
    most calls. All of them are None where the service gives no value. `price_overrides` are
    conditional prices: condition keys beside price keys. `discount` is the service's number, as text. `price_held`
    has the announced prices that are not accepted yet, by key (empty: none), and `price_held_since` is the time of the
    first of them. `price_doubts` is what the holding of prices remembers; it is no fact about the model.
    A model that is no longer listed has `missing_since`, and stays active for a limited time.
    """

    openrouter_id: str
    canonical_slug: str
    display_name: str
    provider: str
    description: str = ""
    released_at: int | None = None
    context_length: int | None = None
    max_tokens: int | None = None
    top_context_length: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    supported_voices: tuple[str, ...] = ()
    default_parameters: Mapping[str, Any] = field(default_factory=dict)
    pricing: Mapping[str, str] = field(default_factory=dict)
    price_overrides: tuple[Mapping[str, Any], ...] = ()
    discount: str | None = None
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    expiration_date: str | None = None
    knowledge_cutoff: str | None = None
    is_moderated: bool | None = None
    alias_target: str | None = None
    is_active: bool = True
    missing_since: str | None = None
    price_held: Mapping[str, str] = field(default_factory=dict)
    price_held_since: str | None = None
    price_doubts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)

    @property
    def vision_supported(self) -> bool:
        """Whether it accepts images as input."""
        return "image" in self.input_modalities

    @property
    def tool_calling_supported(self) -> bool:
        """Whether it supports tool calls."""
        return "tools" in self.supported_parameters

    @property
    def web_search_supported(self) -> bool:
        """Whether it supports web search natively: it accepts the option, or has a price for it."""
        price = parse_usd(self.pricing.get("web_search"))
        return "web_search_options" in self.supported_parameters or bool(price and price > 0)

    @property
    def own_searches(self) -> int | None:
        """The searches that it makes by itself in each call; None if their number has no limit.

        Models with the search option and a price for it search in each call, whatever is asked.
        """
        if "deep-research" in self.openrouter_id or "deep-research" in self.canonical_slug:
            return None
        prices = (parse_usd(tier.get("web_search")) for tier in (self.pricing, *self.price_overrides))
        return int("web_search_options" in self.supported_parameters and any(price and price > 0 for price in prices))

    @property
    def longest_answer(self) -> int:
        """The maximum answer length in tokens; a very large number if no limit is known."""
        return min(self.max_tokens or 2**31, self.context_length or 2**31)

    @property
    def caps_output(self) -> bool:
        """Whether it supports a limit on the length of its answer."""
        return not {"max_tokens", "max_completion_tokens"}.isdisjoint(self.supported_parameters)


type Supports = Callable[[CatalogModel], str | None]
"""Returns why a resource type cannot use a model, as text to append to the model's id; None if it can."""


def why_unavailable(model: CatalogModel | None) -> str | None:
    """Why `model` is not available, as text to append to its id; None if it is available."""
    if model is None:
        return NOT_LISTED
    if not model.is_active:
        return "is no longer offered; choose another from GET /api/models"
    return None


def why_unusable(model: CatalogModel | None, supports: Supports) -> str | None:
    """Why a resource with this type's `supports` cannot run on `model`, as text; None if it can."""
    return why_unavailable(model) or (supports(model) if model else None)


def model_status(model: CatalogModel | None, today: date, supports: Supports) -> ModelStatus:
    """The status of `model` for its resources: gone and unusable models fail, expiring ones work for at most a month.

    A missing model is not listed but may still be served: most missing models return within days.
    An announced end in the past is still only a warning: end dates are moved and withdrawn, even on the day itself,
    and a model that was removed is no longer listed.
    """
    if model is None or not model.is_active:
        return ModelStatus.GONE
    if supports(model):
        return ModelStatus.UNUSABLE
    if model.missing_since:
        return ModelStatus.MISSING
    end = announced_end(model)
    return ModelStatus.EXPIRING if end and end <= today + NEAR_END else ModelStatus.OK


def announced_end(model: CatalogModel) -> date | None:
    """The announced last day; None if there is none, for "never", and for an invalid date."""
    return last_day(model.expiration_date)


def last_day(text: str | None) -> date | None:
    """The day of an expiration date; None if there is none, for "never", and for an invalid date."""
    try:
        end = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return end if end.year < _NEVER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRecord:
    """The record of the last successful sync.

    `read_at` is the time of the last complete read of the list; rows change only then. `validator` identifies that list
    (its ETag or hash). `waiting` counts the models that a sync may change even if the list is unchanged. Events for all
    changes up to `notified_at` were sent to the owners of affected resources, or are about to be. `snapshot_at` is the
    time of the last snapshot.
    """

    synced_at: str
    read_at: str = ""
    seen: int = 0
    written: int = 0
    waiting: int = 0
    notified_at: str = ""
    snapshot_at: str = ""
    validator: str | None = None
