"""What a call can cost at most by catalog price, and the price limits that make it so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from instant.domain.catalog import CatalogModel
from instant.domain.money import NANO, parse_usd, to_nanousd

HIDDEN_PROMPT_TOKENS = 256
"""Room for the frame that chat templates put around messages, in tokens."""

_MILLION = Decimal(10) ** 6
_PROMPT = ("prompt", "input_cache_write", "audio")
_COMPLETION = ("completion", "internal_reasoning", "image_output", "audio_output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The most that a call can use up.

    `rounds` is how often the model may be run over its prompt, `reads_whole_context` says that the prompt's
    length is only known to fit the model, `extra_usd` is what comes on top whatever the model.
    """

    prompt_tokens: int
    completion_tokens: int
    rounds: int = 1
    images: int = 0
    reads_whole_context: bool = False
    extra_usd: Decimal = Decimal(0)


def worst_case(model: CatalogModel, demand: Demand) -> int:
    """The most that one call can cost in nano-USD: every byte a token, every answer as long as allowed."""
    tokens = demand.prompt_tokens + HIDDEN_PROMPT_TOKENS
    if model.context_length:
        tokens = model.context_length if demand.reads_whole_context else min(tokens, model.context_length)
    length = demand.completion_tokens if model.caps_output else model.longest_answer
    one_round = highest(model, *_PROMPT) * tokens + highest(model, *_COMPLETION) * length + highest(model, "request")
    return to_nanousd(one_round * demand.rounds + highest(model, "image") * demand.images + demand.extra_usd)


def price_limits(models: Sequence[CatalogModel], *, worst_nanousd: int, cap_nanousd: int) -> dict[str, str]:
    """The dearest provider prices (USD per million tokens) at which the worst case still fits the cap.

    The catalog shows one provider's price and others ask up to 14 times as much, so the cap holds only if the
    service is told to leave the dearer ones out. Prices of zero get no limit: nothing scales them.
    """
    if worst_nanousd <= 0:
        return {}
    with localcontext(prec=40):
        slack = (Decimal(cap_nanousd) / NANO) / (Decimal(worst_nanousd) / NANO) * _MILLION
        prices = {
            "prompt": max(highest(model, *_PROMPT) for model in models),
            "completion": max(highest(model, *_COMPLETION) for model in models),
        }
        return {name: f"{(price * slack).normalize():f}" for name, price in prices.items() if price}


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
