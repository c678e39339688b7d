"""A successor serves well, has every ability of the old model, and is the same each time."""

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


def able(openrouter_id: str, **more: Any) -> Any:
    return a_model(openrouter_id, **{"input_modalities": ("file", "image", "text"), **more})


def test_successor_order_is_alias_target_then_plain_ids_then_alphabetical() -> None:
    ranked = [able(name) for name in ("meadow/target", "meadow/y", "meadow/z", "meadow/a:free", "meadow/b:free")]
    for count in range(len(ranked)):
        for order in permutations(ranked[count:]):
            assert successor_of(GONE, order, TODAY, SUPPORTS) is ranked[count]
    assert successor_of(GONE, [], TODAY, SUPPORTS) is None


@pytest.mark.parametrize(
    "other",
    [
        able("meadow/lark-mini"),
        able("meadow/x", is_active=False),
        able("meadow/x", missing_since="2026-11-21T03:00:00.000000Z"),
        able("meadow/x", expiration_date="2026-12-01"),
        able("meadow/x:batch"),
        able("meadow/x", pricing={"prompt": "-1", "completion": "-1"}),
        able("meadow/x", input_modalities=("text",)),
        able("meadow/x", output_modalities=("image",)),
    ],
    ids=["itself", "gone", "missing", "ending", "batch", "router", "blind", "mute"],
)
def test_successor_rejects_models_that_do_less_or_also_end(other: Any) -> None:
    assert successor_of(GONE, [other], TODAY, SUPPORTS) is None
