"""What a call can cost at most by catalog price, and the price limits that make it so."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext

from instant.domain.catalog import CatalogModel
from instant.domain.money import NANO, parse_usd, to_nanousd

HIDDEN_PROMPT_TOKENS = 256
"""Room for the frame that chat templates put around messages, in tokens."""

_MILLION = Decimal(10) ** 6


def worst_case(model: CatalogModel, *, prompt_bytes: int, completion_tokens: int) -> int:
    """The most that one call can cost in nano-USD: every byte a token, every answer as long as allowed."""
    with localcontext(prec=60):
        prompt = highest(model, "prompt", "input_cache_write") * (prompt_bytes + HIDDEN_PROMPT_TOKENS)
        completion = highest(model, "completion", "internal_reasoning") * completion_tokens
        return to_nanousd(prompt + completion + highest(model, "request"))


def price_limits(model: CatalogModel, *, worst_nanousd: int, cap_nanousd: int) -> dict[str, str]:
    """The dearest provider prices (USD per million tokens) at which the worst case still fits the cap.

    The catalog shows one provider's price and others ask up to 14 times as much, so the cap holds only if the
    service is told to leave the dearer ones out. Prices of zero get no limit: nothing scales them.
    """
    if worst_nanousd <= 0:
        return {}
    with localcontext(prec=40):
        slack = (Decimal(cap_nanousd) / NANO) / (Decimal(worst_nanousd) / NANO) * _MILLION
        limits = {
            "prompt": highest(model, "prompt", "input_cache_write"),
            "completion": highest(model, "completion", "internal_reasoning"),
        }
        return {name: f"{(price * slack).normalize():f}" for name, price in limits.items() if price}


def highest(model: CatalogModel, *keys: str) -> Decimal:
    """The highest price that any of `keys` has in any tier; what has no readable price counts as 0."""
    return max((price for tier in _tiers(model) for price in _prices(tier, keys)), default=Decimal(0))


def _tiers(model: CatalogModel) -> Iterator[Mapping[str, object]]:
    yield model.pricing
    yield from model.price_overrides


def _prices(tier: Mapping[str, object], keys: tuple[str, ...]) -> Iterator[Decimal]:
    for key in keys:
        price = parse_usd(tier.get(key))
        if price is not None and price > 0:
            yield price
