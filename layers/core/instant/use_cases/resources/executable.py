"""The resources that a caller can execute, with their models, in few reads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from instant.domain.access.identity import Identity
from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import NotFound
from instant.domain.page import Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort
from instant.domain.resources.resource import Resource
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.resources.lists import ResourceLists
from instant.ports.resources.store import ResourceReader

MAX_EXECUTABLE = 1_000
"""Maximum number of resources in the list."""

_ALL = ResourceFilter()


@dataclass(frozen=True, slots=True)
class Executable:
    """A resource, and its primary model if it is in the catalog."""

    resource: Resource
    model: CatalogModel | None


def list_executable(caller: Identity, lists: ResourceLists, models: ModelLookup) -> list[Executable]:
    """The caller's own resources, newest first, then the public ones that are called most; each once."""
    found = {each.resource_id: each for each in _resources(caller, lists)}
    return _with_models(list(islice(found.values(), MAX_EXECUTABLE)), models)


def read_executable(
    caller: Identity, resources: ResourceReader, models: ModelLookup, *, resource_id: str = "", address: str = ""
) -> Executable:
    """One resource by its id or its address, if the caller can execute it."""
    resource = resources.get(resource_id) if resource_id else resources.find(address)
    if resource is None or not resource.visible_to(caller.user_id, by_address=not resource_id):
        raise NotFound.of("resource")
    (known,) = _with_models([resource], models)
    return known


def _with_models(resources: list[Resource], models: ModelLookup) -> list[Executable]:
    known = models.some(each.ai_model_id for each in resources if each.ai_model_id)
    return [Executable(each, known.get(each.ai_model_id or "")) for each in resources]


def _resources(caller: Identity, lists: ResourceLists) -> Iterator[Resource]:
    own = list(_first(lambda page: lists.owned_by(caller.user_id, _ALL, page)))
    yield from own
    if len(own) < MAX_EXECUTABLE:
        yield from _first(lambda page: lists.public(ResourceSort.MOST_USED, _ALL, page))


def _first(read: Callable[[PageRequest], Page[Resource]]) -> Iterator[Resource]:
    """The first resources of a list, at most `MAX_EXECUTABLE`."""
    page, left = read(PageRequest(MAX_EXECUTABLE)), MAX_EXECUTABLE
    yield from page.items
    while page.next and (left := left - len(page.items)):
        page = read(PageRequest(left, page.next))
        yield from page.items
