"""Read changes of the catalog."""

from instant.domain.catalog.change import ChangeFilter, ModelChange
from instant.domain.errors import InvalidField, NotFound
from instant.domain.page import Page, PageRequest
from instant.ports.catalog.changes import ChangeLists
from instant.ports.catalog.store import ModelReader


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


def _check_place(change_filter: ChangeFilter, page: PageRequest) -> None:
    """Check that the cursor belongs to this list: not before `since`, and not of another model."""
    if page.after is None:
        return
    is_stamp = page.after.sort[:2].isdecimal() and page.after.sort >= (change_filter.since or "")
    if not is_stamp or (change_filter.model and page.after.item_id != change_filter.model):
        raise InvalidField.named("cursor", "belongs to another list; start again without cursor")
