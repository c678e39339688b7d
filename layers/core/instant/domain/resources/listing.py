"""Lists of resources: what is asked for, in which order, and the text that a search looks through."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest

MAX_EXAMINED = 1_000
"""Most rows that one request looks at, whatever the filters: a page may be short, and even empty, and yet go on."""


class ResourceSort(StrEnum):
    """In which order public resources are listed, best first."""

    NEWEST = "newest"
    MOST_USED = "most_used"
    SUCCESS_RATE = "success_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFilter:
    """Which resources; None asks nothing. `author` is the first part of the model's id."""

    category: str | None = None
    resource_type: str | None = None
    author: str | None = None
    text: str | None = None


def searchable(*texts: str | None) -> str:
    """The texts as they are searched: letters that differ in case or in width only are the same."""
    return unicodedata.normalize("NFKC", "\n".join(filter(None, texts))).casefold()


def within(sort: ResourceSort, page: PageRequest) -> PageRequest:
    """The page with its cursor's place in this order; a place in another order is an `InvalidField`."""
    if page.after is None:
        return page
    name, _, place = page.after.sort.partition(" ")
    if name != sort or not place:
        raise InvalidField.named("cursor", "belongs to a list in another order; begin that list again without cursor")
    return PageRequest(page.limit, Cursor(place, page.after.item_id))


def named(sort: ResourceSort, place: Cursor | None) -> Cursor | None:
    """A place that says which order it belongs to."""
    return place and Cursor(f"{sort} {place.sort}", place.item_id)
