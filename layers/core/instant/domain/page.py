"""Lists in pages: newest first, with an opaque cursor that names a place, never another user's data."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

from instant.domain.errors import InvalidField

_MAX_NAME_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last item already seen: its sort key and its id."""

    sort: str
    item_id: str

    def encode(self) -> str:
        """The cursor as one URL-safe word."""
        return urlsafe_b64encode(json.dumps([self.sort, self.item_id]).encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a cursor back; anything that we did not make is an `InvalidField`."""
        try:
            sort, item_id = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError):
            sort = item_id = None
        if not (_is_name(sort) and _is_name(item_id)):
            raise InvalidField.named("cursor", "not a cursor of ours; pass next_cursor of the page before, unchanged")
        return cls(sort, item_id)


def _is_name(value: object) -> bool:
    """Whether `value` can be a sort key or an id: databases refuse longer keys and half characters."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME_LENGTH and value.isprintable()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: at most `limit` items after `after`."""

    limit: int = 50
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """Some items, and where the next page begins (None: this was the last)."""

    items: list[Item]
    next: Cursor | None = None
