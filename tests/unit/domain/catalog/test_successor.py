"""A successor is usable, has every capability of the old model, and is chosen deterministically."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from instant.domain.catalog.successor import successor_of
from instant.resource_types.openrouter_instant import OpenRouterInstant
from tests.fakes.builders import a_model

SUPPORTS = OpenRouterInstant().supports

TODAY = date(2026, 11, 22)
GONE = a_model(is_active=False, alias_target="meadow/target", input_modalities=("image", "text"))


def candidate(openrouter_id: str, **more: Any) -> Any:
    return a_model(openrouter_id, **{"input_modalities": ("file", "image", "text"), **more})


def test_successor_order_is_alias_target_then_plain_ids_then_alphabetical() -> None:
    ranked = [candidate(name) for name in ("meadow/target", "meadow/y", "meadow/z", "meadow/a:free", "meadow/b:free")]
    for count in range(len(ranked)):
        for order in permutations(ranked[count:]):
            assert successor_of(GONE, order, TODAY, SUPPORTS) is ranked[count]
    assert successor_of(GONE, [], TODAY, SUPPORTS) is None


@pytest.mark.parametrize(
    "other",
    [
        candidate("meadow/lark-mini"),
        candidate("meadow/x", is_active=False),
        candidate("meadow/x", missing_since="2026-11-21T03:00:00.000000Z"),
        candidate("meadow/x", expiration_date="2026-12-01"),
        candidate("meadow/x:batch"),
        candidate("meadow/x", pricing={"prompt": "-1", "completion": "-1"}),
        candidate("meadow/x", input_modalities=("text",)),
        candidate("meadow/x", output_modalities=("image",)),
    ],
    ids=["itself", "removed", "missing", "ending", "batch", "router", "no images", "no text"],
)
def test_successor_rejects_less_capable_or_ending_models(other: Any) -> None:
    assert successor_of(GONE, [other], TODAY, SUPPORTS) is None
