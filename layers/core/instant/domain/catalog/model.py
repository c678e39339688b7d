"""A model of the catalog: what it can do, what it costs, and whether a resource may use it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from instant.domain.money import parse_usd

NEAR_END = timedelta(days=30)
"""How far ahead a model's announced end is worth a warning."""

_NEVER = 2090
"""From this year on an end is a way to write "never": 2098-12-31 and 9999-01-01 occur."""


class ModelStatus(StrEnum):
    """What can be said of a resource's model."""

    OK = "ok"
    EXPIRING = "expiring"
    MISSING = "missing"
    GONE = "gone"
    UNUSABLE = "unusable"
    PRICE_CHANGED = "price_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """One model as the service lists it; prices are strings of USD per token, exactly as given.

    `provider` is the author, the first part of the id. `max_tokens` is the longest answer, and
    `context_length` input and output together; both are None where the service does not say.
    `price_overrides` are conditional prices: the condition's keys beside price keys; `discount` is the service's
    number, as text. `price_held` is a price that was announced and is not believed yet (empty: none), since when is
    told beside it. A model that is no longer listed has `missing_since`, and stays active for a time.
    """

    openrouter_id: str
    canonical_slug: str
    display_name: str
    provider: str
    description: str = ""
    released_at: int | None = None
    context_length: int | None = None
    max_tokens: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    default_parameters: Mapping[str, Any] = field(default_factory=dict)
    pricing: Mapping[str, str] = field(default_factory=dict)
    price_overrides: tuple[Mapping[str, Any], ...] = ()
    discount: str | None = None
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    expiration_date: str | None = None
    alias_target: str | None = None
    is_active: bool = True
    missing_since: str | None = None
    price_held: Mapping[str, str] = field(default_factory=dict)
    price_held_since: str | None = None

    @property
    def vision_supported(self) -> bool:
        """Whether it reads images."""
        return "image" in self.input_modalities

    @property
    def tool_calling_supported(self) -> bool:
        """Whether it calls tools."""
        return "tools" in self.supported_parameters

    @property
    def web_search_supported(self) -> bool:
        """Whether it searches the web by itself: it takes the option, or has a price for it."""
        price = parse_usd(self.pricing.get("web_search"))
        return "web_search_options" in self.supported_parameters or bool(price and price > 0)

    @property
    def longest_answer(self) -> int:
        """How long an answer can be in tokens; without any limit known, longer than anybody pays for."""
        return min(self.max_tokens or 2**31, self.context_length or 2**31)

    @property
    def caps_output(self) -> bool:
        """Whether it obeys a cap on the length of its answer."""
        return not {"max_tokens", "max_completion_tokens"}.isdisjoint(self.supported_parameters)


type Supports = Callable[[CatalogModel], str | None]
"""Why a resource type cannot use a model, in words that follow its id; None if it can."""


def why_unavailable(model: CatalogModel | None) -> str | None:
    """Why nothing can be sent to `model`, in words that follow its id; None when it is offered."""
    if model is None:
        return "is not in the catalog; GET /api/models lists what is"
    if not model.is_active:
        return "is no longer offered; choose another from GET /api/models"
    return None


def why_unusable(model: CatalogModel | None, supports: Supports) -> str | None:
    """Why a resource whose type `supports` models cannot run on `model`, in words; None when it can."""
    return why_unavailable(model) or (supports(model) if model else None)


def model_status(model: CatalogModel | None, today: date, supports: Supports) -> ModelStatus:
    """Whether resources on `model` will work: gone and unusable ones do not, expiring ones for at most a month.

    Missing models are not listed and still served, as far as is known: most of them come back within days.
    An announced end that has passed still only warns: ends are moved and withdrawn, even on the day itself, and
    what is really gone is no longer listed.
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
    """The announced last day; None for none, for "never", and for what is no date."""
    return last_day(model.expiration_date)


def last_day(text: str | None) -> date | None:
    """The day that an expiration date names; None for none, for "never", and for what is no date."""
    try:
        end = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return end if end.year < _NEVER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRecord:
    """What the last successful sync did.

    `read_at` is when the list was last read whole: only then can a row have changed. `validator` names that list (its
    ETag, or its hash), and `waiting` counts the models that a sync may have to change although the list stays the same.
    Of what changed until `notified_at` those who use the models have been told, or are about to be.
    """

    synced_at: str
    read_at: str = ""
    seen: int = 0
    written: int = 0
    waiting: int = 0
    notified_at: str = ""
    validator: str | None = None
