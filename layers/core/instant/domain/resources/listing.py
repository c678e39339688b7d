"""Lists of resources: filters, sort orders, and the text that a search matches."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest

MAX_EXAMINED = 1_000
"""Maximum rows that one request examines, whatever its filters: a page can be short or empty and have a next page."""

MAX_SEARCH_BYTES = 8_000
"""Maximum size of the text for searches in UTF-8: one character can become eighteen when it is normalized."""


class ResourceSort(StrEnum):
    """The sort order of public resources, best first."""

    NEWEST = "newest"
    MOST_USED = "most_used"
    SUCCESS_RATE = "success_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFilter:
    """A filter of resources; None matches all. `author` is the first part of the model's id."""

    category: str | None = None
    resource_type: str | None = None
    author: str | None = None
    text: str | None = None


def searchable(*texts: str | None) -> str:
    """The texts, normalized for search: case and character width are ignored; the end of a long text is cut off."""
    text = unicodedata.normalize("NFKC", "\n".join(filter(None, texts))).casefold()
    return text.encode()[:MAX_SEARCH_BYTES].decode(errors="ignore")


def within(sort: ResourceSort, page: PageRequest) -> PageRequest:
    """The page request with its cursor for this order; raise `InvalidField` if the cursor is for another order."""
    if page.after is None:
        return page
    name, _, place = page.after.sort.partition(" ")
    if name != sort or not place:
        raise InvalidField.named("cursor", "belongs to a list in another order; start that list without a cursor")
    return PageRequest(page.limit, Cursor(place, page.after.item_id))


def named(sort: ResourceSort, place: Cursor | None) -> Cursor | None:
    """The cursor, marked with its sort order."""
    return place and Cursor(f"{sort} {place.sort}", place.item_id)
