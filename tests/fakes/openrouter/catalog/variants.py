"""Rows derived from other rows: `:free`, `:batch` and `:thinking` variants, and `~latest` aliases."""

import copy
from collections.abc import Sequence
from decimal import Decimal

from tests.fakes.openrouter.catalog.build import THOUGHT, Json, variant

_FREE = ("meadow/lark-mini", "northwind/gale-70b", "meta-llama/llama-3.3-70b-instruct")
_BATCH = ("openai/gpt-5-nano", "openai/gpt-4o-mini", "anthropic/claude-haiku-4.5")
_LATEST = {
    "~anthropic/claude-haiku-latest": "anthropic/claude-haiku-4.5",
    "~meadow/lark-latest": "meadow/lark",
}


def rows(ordinary: Sequence[Json]) -> list[Json]:
    """The variants and aliases of the ordinary rows."""
    by_id = {row["id"]: row for row in ordinary}
    return [
        *(variant(by_id[name], "free", "free", pricing={"prompt": "0", "completion": "0"}) for name in _FREE),
        *(variant(by_id[name], "batch", "batch", pricing=_half(by_id[name])) for name in _BATCH),
        _thinking(by_id["harbor/tide-code"]),
        *(_alias(name, by_id[target]) for name, target in _LATEST.items()),
    ]


def _half(base: Json) -> Json:
    prices = {key: base["pricing"][key] for key in ("prompt", "completion")}
    return {key: f"{Decimal(price) / 2:f}" for key, price in prices.items()}


def _thinking(base: Json) -> Json:
    """Has the `reasoning` parameter but no `reasoning` object."""
    return variant(base, "thinking", "thinking", supported_parameters=[*base["supported_parameters"], *THOUGHT])


def _alias(name: str, target: Json) -> Json:
    """An alias of the newest model of a family, with the price and the capabilities of its target."""
    family = name.lstrip("~").replace("/", " ").replace("-", " ").title()
    row = copy.deepcopy(target)
    row["architecture"]["tokenizer"] = "Router"
    about = f"Always the newest model of the family; today that is {target['name']}."
    target_of = {"name": target["name"], "slug": target["id"]}
    named = {"id": name, "canonical_slug": name, "name": family, "description": about}
    return row | named | {"alias_target": target_of}
