"""The price keys of the service: what each is multiplied by in the worst, the expected and the recomputed cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """The unit that a price is for, in the worst case."""

    PROMPT_TOKEN = "each token of the prompt"
    ANSWER_TOKEN = "each token of the answer"
    IMAGE_TOKEN = "each token, if the call has or makes images"
    IMAGE = "each input image"
    REQUEST = "each turn"
    OWN_SEARCH = "each search of a model that searches by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceKey:
    """How one price enters costs.

    `worst` is the unit in the worst case, at the highest price among the keys of the unit; None: no call can be charged
    for it. `counter` is the field of `Usage` that counts the units of a call, for the expected and the recomputed cost;
    None: the service does not report them. `part_of` is the key whose tokens include them. Where the model has no such
    price, the price of `part_of` applies, unless `is_media`: then the cost is unknown. The price of a `discount_of`
    another key is lower than that of the other.
    """

    worst: Unit | None
    counter: str | None = None
    part_of: str | None = None
    is_media: bool = False
    discount_of: str | None = None


PRICE_KEYS: Mapping[str, PriceKey] = {
    "prompt": PriceKey(worst=Unit.PROMPT_TOKEN, counter="prompt_tokens"),
    "input_cache_read": PriceKey(
        worst=Unit.PROMPT_TOKEN, counter="cached_tokens", part_of="prompt", discount_of="prompt"
    ),
    "input_cache_write": PriceKey(worst=Unit.PROMPT_TOKEN, counter="cache_write_tokens", part_of="prompt"),
    "input_cache_write_1h": PriceKey(worst=None),  # requests do not ask for this cache
    "audio": PriceKey(worst=Unit.PROMPT_TOKEN, counter="audio_tokens", part_of="prompt"),
    "input_audio_cache": PriceKey(worst=Unit.PROMPT_TOKEN, discount_of="audio"),
    "completion": PriceKey(worst=Unit.ANSWER_TOKEN, counter="completion_tokens"),
    "internal_reasoning": PriceKey(worst=Unit.ANSWER_TOKEN, counter="reasoning_tokens", part_of="completion"),
    "image_output": PriceKey(
        worst=Unit.ANSWER_TOKEN, counter="image_output_tokens", part_of="completion", is_media=True
    ),
    "audio_output": PriceKey(
        worst=Unit.ANSWER_TOKEN, counter="audio_output_tokens", part_of="completion", is_media=True
    ),
    "image_token": PriceKey(worst=Unit.IMAGE_TOKEN),
    "image": PriceKey(worst=Unit.IMAGE, counter="images"),
    "request": PriceKey(worst=Unit.REQUEST, counter="requests"),
    "web_search": PriceKey(worst=Unit.OWN_SEARCH, counter="web_searches"),
}
"""Every price key that the service documents. A model with another price above 0 cannot be used."""


def keys_of(*units: Unit) -> tuple[str, ...]:
    """The price keys with any of these units in the worst case."""
    return tuple(name for name, key in PRICE_KEYS.items() if key.worst in units)


def parts_of(name: str) -> Mapping[str, PriceKey]:
    """The price keys of the parts of this key's tokens."""
    return {part: key for part, key in PRICE_KEYS.items() if key.part_of == name}
