"""An in-memory index of one catalog version: each sort order is computed once, and pages are slices of it."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.query import Condition, Entry, ModelQuery, conditions, entry_of
from instant.domain.errors import InvalidField
from instant.domain.money import parse_usd
from instant.domain.page import Cursor, Page, PageRequest

type Key = int | str | Decimal | None

_MAX_NAME_LENGTH = 200
_UNKNOWN = "?"


class ModelSort(StrEnum):
    """The sort order of models; a minus reverses it. Unknown values come last in both directions."""

    NEWEST = "newest"
    OLDEST = "-newest"
    NAME = "name"
    NAME_DOWN = "-name"
    CHEAPEST = "price"
    DEAREST = "-price"
    LONGEST_CONTEXT = "context"
    SHORTEST_CONTEXT = "-context"

    @property
    def is_reversed(self) -> bool:
        """Whether the order is descending."""
        return self.startswith("-")

    def key(self, entry: Entry) -> Key:
        """The sort key of an entry; None where it is unknown."""
        return _KEYS[self.removeprefix("-")](entry)


class CatalogIndex:
    """Models by id and in each sort order, with filters; immutable."""

    def __init__(self, models: Sequence[CatalogModel]) -> None:
        """Index `models`, which are sorted by id."""
        self.models = models
        self._orders: dict[ModelSort, Sequence[Entry]] = {}

    def page(self, query: ModelQuery, sort: ModelSort, page: PageRequest) -> tuple[Page[CatalogModel], int]:
        """A page of the matching models, and how many match in all.

        A page begins after the position of its cursor in the order. So pagination is stable: an item that keeps its
        position is neither repeated nor skipped when others are added, removed or moved between two pages.
        """
        matching = self._ordered(sort)
        for fulfils in conditions(query):
            matching = [entry for entry in matching if fulfils(entry)]
        start = bisect_left(matching, True, key=_is_behind(page.after, sort)) if page.after else 0
        found = matching[start : start + page.limit]
        is_last = start + page.limit >= len(matching)
        return Page([entry.model for entry in found], None if is_last else _cursor(found[-1], sort)), len(matching)

    def get(self, openrouter_id: str) -> CatalogModel | None:
        """The model with this id, active or not."""
        return self._by_id.get(openrouter_id)

    @cached_property
    def _by_id(self) -> Mapping[str, CatalogModel]:
        return {model.openrouter_id: model for model in self.models}

    @cached_property
    def _entries(self) -> Sequence[Entry]:
        return [entry_of(model) for model in self.models]

    def _ordered(self, sort: ModelSort) -> Sequence[Entry]:
        if sort not in self._orders:
            known = [entry for entry in self._entries if sort.key(entry) is not None]
            unknown = [entry for entry in self._entries if sort.key(entry) is None]
            self._orders[sort] = (
                sorted(known, key=lambda entry: _place(entry, sort), reverse=sort.is_reversed) + unknown
            )
        return self._orders[sort]


def _place(entry: Entry, sort: ModelSort) -> tuple[Key, str]:
    """The sort position; ties are broken by id, so that the order is total."""
    return sort.key(entry), entry.model.openrouter_id


def _is_behind(cursor: Cursor, sort: ModelSort) -> Condition:
    """Whether an entry comes after the cursor in this order."""
    here = _key(cursor, sort), cursor.item_id

    def is_behind(entry: Entry) -> bool:
        place = _place(entry, sort)
        if None in (here[0], place[0]):
            return place[0] is None and (here[0] is not None or place[1] > here[1])
        return place < here if sort.is_reversed else place > here

    return is_behind


def _cursor(entry: Entry, sort: ModelSort) -> Cursor:
    key = sort.key(entry)
    return Cursor(f"{sort} {_UNKNOWN if key is None else key}", entry.model.openrouter_id)


def _key(cursor: Cursor, sort: ModelSort) -> Key:
    name, _, text = cursor.sort.partition(" ")
    kind = _KINDS[sort.removeprefix("-")]
    key = None if text == _UNKNOWN and kind is not str else kind(text)  # a name can equal `_UNKNOWN`
    if name != sort or (key is None and text != _UNKNOWN):
        raise InvalidField.named("cursor", "belongs to another list; omit it, or repeat the previous request's filters")
    return key


def _number(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() else None


def _name(entry: Entry) -> str:
    """The part of the name that fits into a cursor."""
    return "".join(filter(str.isprintable, entry.model.display_name.lower()))[:_MAX_NAME_LENGTH]


_KEYS: dict[str, Callable[[Entry], Key]] = {
    "newest": lambda entry: -entry.model.released_at if entry.model.released_at else None,
    "name": _name,
    "price": lambda entry: entry.price,
    "context": lambda entry: -entry.model.context_length if entry.model.context_length else None,
}
_KINDS: dict[str, Callable[[str], Key]] = {"newest": _number, "name": str, "price": parse_usd, "context": _number}
