"""Read changes of the catalog, and the catalog at a past time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from instant.domain.catalog.change import ChangeFilter, ModelChange, before
from instant.domain.catalog.index import CatalogIndex
from instant.domain.catalog.model import SyncRecord
from instant.domain.errors import InvalidField, NotFound
from instant.domain.page import Page, PageRequest
from instant.ports.catalog.changes import ChangeLists
from instant.ports.catalog.store import ModelReader
from instant.use_cases.catalog.browse import Catalog, read_model

MAX_UNDONE = 20_000
"""Maximum number of changes that one request undoes, about two years of changes."""


def list_changes(change_filter: ChangeFilter, page: PageRequest, lists: ChangeLists) -> Page[ModelChange]:
    """Changes, newest first; a short page may still have a next page."""
    _check_place(change_filter, page)
    return lists.page(change_filter, page)


def model_history(openrouter_id: str, page: PageRequest, lists: ChangeLists, models: ModelReader) -> Page[ModelChange]:
    """One model's changes, newest first; raises `NotFound` for an unknown model."""
    found = list_changes(ChangeFilter(model=openrouter_id), page, lists)
    if not found.items and models.get(openrouter_id) is None:
        raise NotFound.of("model")
    return found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A catalog that does not change."""

    index: CatalogIndex

    def now(self) -> tuple[CatalogIndex, SyncRecord | None]:
        """The models; they do not belong to a single sync."""
        return self.index, None


def catalog_at(at: str, catalog: Catalog, lists: ChangeLists) -> Snapshot:
    """The catalog at time `at`: the current catalog with all later changes undone."""
    return Snapshot(CatalogIndex(before(catalog.now()[0].models, _at_most(MAX_UNDONE, lists.after(at)))))


def model_at(at: str, openrouter_id: str, catalog: Catalog, lists: ChangeLists) -> Snapshot:
    """One model at time `at`, if it existed."""
    model = read_model(openrouter_id, catalog.now()[0])
    return Snapshot(CatalogIndex(before([model], lists.after(at, openrouter_id))))


def _at_most(count: int, changes: Iterator[ModelChange]) -> Iterator[ModelChange]:
    yield from islice(changes, count)
    if next(changes, None) is not None:
        problem = f"more than {count} changes ago. Ask for a later time, or for one model at a time"
        raise InvalidField.named("at", problem)


def _check_place(change_filter: ChangeFilter, page: PageRequest) -> None:
    """Check that the cursor belongs to this list: not before `since`, and not of another model."""
    if page.after is None:
        return
    is_stamp = page.after.sort[:2].isdecimal() and page.after.sort >= (change_filter.since or "")
    if not is_stamp or (change_filter.model and page.after.item_id != change_filter.model):
        raise InvalidField.named("cursor", "belongs to another list; start again without cursor")
