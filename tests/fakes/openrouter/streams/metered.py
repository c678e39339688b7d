"""The record of a streamed call: none while it runs, complete at its end, or cancelled with the cost so far."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.reply import Piece
from tests.fakes.openrouter.streams.holds import is_chunk
from tests.fakes.openrouter.world import World


def metered(world: World, key: str, completion: Json, pieces: Iterable[Piece], total: int) -> Iterator[Piece]:
    """Yield the pieces, of which `total` carry the answer; if the reader leaves, the rest is not charged."""
    generations, number, sent = world.generations, completion["id"], 0
    generations.begin(number)
    try:
        for piece in pieces:
            yield piece
            sent += is_chunk(piece)
    except GeneratorExit:
        usage = so_far(completion["usage"], sent, total)
        world.accounts.charge(key, usage["cost"] - completion["usage"]["cost"])
        generations.cancel(number, usage)
        raise
    finally:
        generations.end(number)


def so_far(usage: Json, sent: int, total: int) -> Json:
    """The usage after `sent` of `total` deltas: the whole prompt, and a share of the completion."""
    share = Fraction(min(sent, total), total) if total else Fraction(1)
    completion = int(usage["completion_tokens"] * share)
    parts = usage["cost_details"]
    prompt_cost, rest = parts["upstream_inference_prompt_cost"], parts["upstream_inference_completions_cost"]
    spent = prompt_cost + rest * completion / max(usage["completion_tokens"], 1)
    whole = prompt_cost + rest
    cost = usage["cost"] * spent / whole if whole else Decimal(0)
    return {**usage, "completion_tokens": completion, "cost": cost}
