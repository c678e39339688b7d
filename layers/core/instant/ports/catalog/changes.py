"""The history of catalog changes."""

from collections.abc import Iterator
from typing import Protocol

from instant.domain.catalog.change import ChangeFilter, ModelChange
from instant.domain.page import Page, PageRequest


class ChangeLists(Protocol):
    """The history of catalog changes; each page examines at most `MAX_EXAMINED` rows."""

    def page(self, change_filter: ChangeFilter, page: PageRequest) -> Page[ModelChange]:
        """Changes, newest first."""

    def after(self, at: str, openrouter_id: str | None = None, until: str | None = None) -> Iterator[ModelChange]:
        """All changes later than `at`, and not later than `until`, of one model or of all, newest first."""
