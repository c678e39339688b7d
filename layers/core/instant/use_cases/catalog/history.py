"""What changed in the catalog, and the catalog as it was."""

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
"""Most changes that one request undoes; two years have about as many."""


def list_changes(change_filter: ChangeFilter, page: PageRequest, lists: ChangeLists) -> Page[ModelChange]:
    """Changes, newest first; a page may be short and yet go on."""
    _check_place(change_filter, page)
    return lists.page(change_filter, page)


def model_history(openrouter_id: str, page: PageRequest, lists: ChangeLists, models: ModelReader) -> Page[ModelChange]:
    """One model's changes, newest first; `NotFound` if there never was such a model."""
    found = list_changes(ChangeFilter(model=openrouter_id), page, lists)
    if not found.items and models.get(openrouter_id) is None:
        raise NotFound.of("model")
    return found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A catalog that stays as it is."""

    index: CatalogIndex

    def now(self) -> tuple[CatalogIndex, SyncRecord | None]:
        """The models; they come from no single sync."""
        return self.index, None


def catalog_at(at: str, catalog: Catalog, lists: ChangeLists) -> Snapshot:
    """The catalog as it was at `at`, a stamp: today's, with everything undone that changed since."""
    return Snapshot(CatalogIndex(before(catalog.now()[0].models, _at_most(MAX_UNDONE, lists.after(at)))))


def model_at(at: str, openrouter_id: str, catalog: Catalog, lists: ChangeLists) -> Snapshot:
    """One model alone as it was at `at`, if it was there."""
    model = read_model(openrouter_id, catalog.now()[0])
    return Snapshot(CatalogIndex(before([model], lists.after(at, openrouter_id))))


def _at_most(count: int, changes: Iterator[ModelChange]) -> Iterator[ModelChange]:
    yield from islice(changes, count)
    if next(changes, None) is not None:
        problem = f"more than {count} changes ago. Ask for a later time, or for one model at a time"
        raise InvalidField.named("at", problem)


def _check_place(change_filter: ChangeFilter, page: PageRequest) -> None:
    """A list that begins at `since` cannot go on before it, nor one model's after another's place."""
    if page.after is None:
        return
    is_stamp = page.after.sort[:2].isdecimal() and page.after.sort >= (change_filter.since or "")
    if not is_stamp or (change_filter.model and page.after.item_id != change_filter.model):
        raise InvalidField.named("cursor", "belongs to another list; begin this list again without cursor")
