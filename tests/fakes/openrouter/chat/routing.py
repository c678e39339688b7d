"""Selects the catalog row that serves a call: ids, canonical slugs, aliases, routers, suffixes and fallbacks."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import BATCH_ONLY, error

Catalog = Sequence[Json]

# Suffixes that select a provider, not a model.
_ROUTING_SUFFIXES = (":nitro", ":floor", ":online", ":exacto")


def find(catalog: Catalog, name: str) -> Json | None:
    """The row of an id, or of a canonical slug."""
    by_id = next((row for row in catalog if row["id"] == name), None)
    return by_id or next((row for row in catalog if row["canonical_slug"] == name), None)


def serving(catalog: Catalog, name: str) -> Json:
    """The concrete row that serves a call of `name`; raises 400 if it is unknown, 404 if it is batch only."""
    bare = next((name.removesuffix(end) for end in _ROUTING_SUFFIXES if name.endswith(end)), name)
    row = find(catalog, name) or find(catalog, bare)
    if row is None:
        raise error(400, f"{name} is not a valid model ID")
    if row["id"].endswith(":batch"):
        raise error(404, BATCH_ONLY)
    if "alias_target" in row:
        return serving(catalog, row["alias_target"]["slug"])
    return _routed(catalog, row) if row["architecture"].get("tokenizer") == "Router" else row


def _routed(catalog: Catalog, router: Json) -> Json:
    """The model that a router selects: the first one that is free or paid, like the router."""
    suits = _is_free if Decimal(router["pricing"]["prompt"]) == 0 else _is_paid
    chosen = next((row for row in catalog if suits(row)), None)
    if chosen is None:
        raise error(404, f"No endpoints found for {router['id']}.")
    return chosen


def _is_free(row: Json) -> bool:
    return str(row["id"]).endswith(":free")


def _is_paid(row: Json) -> bool:
    ordinary = ":" not in row["id"] and "alias_target" not in row and "tools" in row["supported_parameters"]
    return ordinary and Decimal(row["pricing"]["prompt"]) > 0


def first_available(catalog: Catalog, names: Sequence[str], fails: Callable[[Json], bool]) -> Json:
    """The row of the first of `names` (a model and its fallbacks) that does not fail, or of the last one."""
    rows = [serving(catalog, name) for name in names]
    return next((row for row in rows if not fails(row)), rows[-1])
