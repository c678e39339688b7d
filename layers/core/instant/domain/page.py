"""Pagination: an opaque cursor encodes a position in a list, never another user's data."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

from instant.domain.errors import InvalidField

_MAX_NAME_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last item of a page: its sort key and its id."""

    sort: str
    item_id: str

    def encode(self) -> str:
        """The cursor as URL-safe text."""
        return urlsafe_b64encode(json.dumps([self.sort, self.item_id]).encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Self:
        """Decode a cursor; raise `InvalidField` for any other text."""
        try:
            sort, item_id = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError):
            sort = item_id = None
        if not (_is_name(sort) and _is_name(item_id)):
            raise InvalidField.named("cursor", "is not a valid cursor; pass next_cursor of the last page unchanged")
        return cls(sort, item_id)


def _is_name(value: object) -> bool:
    """Whether `value` can be a sort key or an id: databases reject longer keys and lone surrogates."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME_LENGTH and value.isprintable()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page: at most `limit` items after `after`."""

    limit: int = 50
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """Items, and the cursor of the next page (None: this is the last page)."""

    items: list[Item]
    next: Cursor | None = None
