"""What changed in the catalog, and the catalog as it was."""

from collections.abc import Iterator, Sequence
from itertools import islice

from instant.domain.catalog import CatalogModel
from instant.domain.catalog_change import ModelChange, WantedChanges, before
from instant.domain.errors import InvalidField, NotFound
from instant.domain.page import Page, PageRequest
from instant.ports import ModelReader
from instant.ports.catalog import ChangeLists

MOST_UNDONE = 20_000
"""Most changes that one request undoes; two years have about as many."""


def list_changes(wanted: WantedChanges, page: PageRequest, lists: ChangeLists) -> Page[ModelChange]:
    """Changes, newest first; a page may be short and yet go on."""
    _check_place(wanted, page)
    return lists.page(wanted, page)


def model_history(openrouter_id: str, page: PageRequest, lists: ChangeLists, models: ModelReader) -> Page[ModelChange]:
    """One model's changes, newest first; `NotFound` if there never was such a model."""
    found = list_changes(WantedChanges(model=openrouter_id), page, lists)
    if not found.items and models.get(openrouter_id) is None:
        raise NotFound.of("model")
    return found


def catalog_at(at: str, models: Sequence[CatalogModel], lists: ChangeLists) -> list[CatalogModel]:
    """The catalog as it was at `at`, a stamp: today's, with everything undone that changed since."""
    return before(models, _at_most(MOST_UNDONE, lists.after(at)))


def model_at(at: str, model: CatalogModel, lists: ChangeLists) -> CatalogModel:
    """One model as it was at `at`; `NotFound` before it was added."""
    found = before([model], lists.after(at, model.openrouter_id))
    if not found:
        raise NotFound("That model was not in the catalog then. GET its /history to see since when it was.")
    return found[0]


def _at_most(count: int, changes: Iterator[ModelChange]) -> Iterator[ModelChange]:
    yield from islice(changes, count)
    if next(changes, None) is not None:
        problem = f"more than {count} changes ago. Ask for a later time, or for one model at a time"
        raise InvalidField.named("at", problem)


def _check_place(wanted: WantedChanges, page: PageRequest) -> None:
    """A list that begins at `since` cannot go on before it, nor one model's after another's place."""
    if page.after is None:
        return
    is_stamp = page.after.sort[:2].isdecimal() and page.after.sort >= (wanted.since or "")
    if not is_stamp or (wanted.model and page.after.item_id != wanted.model):
        raise InvalidField.named("cursor", "belongs to another list; begin this list again without cursor")
