"""A user's resources that are affected by catalog changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from instant.domain.access.identity import Identity, Scope
from instant.domain.catalog.impact import UsedModel
from instant.domain.catalog.model import CatalogModel, ModelStatus
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort, named
from instant.domain.resources.resource import Resource
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.resources.lists import ResourceLists
from instant.ports.resources.store import ResourceReader
from instant.use_cases.resources.browse import list_own
from instant.use_cases.resources.models import models_of, used_models

LOOKED_AT = 200
"""Maximum number of resources whose models one request reads: the maximum page size."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A resource and its affected models, the primary model first."""

    resource: Resource
    models: list[UsedModel]


def list_affected(
    caller: Identity,
    sort: ResourceSort,
    resource_filter: ResourceFilter,
    page: PageRequest,
    lists: ResourceLists,
    resources: ResourceReader,
    lookup: ModelLookup,
    clock: Clock,
) -> Page[Affected]:
    """The caller's affected resources, newest first; a short or empty page may still have a next page.

    This needs the scope read, since the models include fallbacks, which are settings.
    """
    caller.require(Scope.READ)
    found = list_own(caller, sort, resource_filter, PageRequest(LOOKED_AT, page.after), lists)
    listed = list(_with_models(found.items, resources))
    known = lookup.some(name for resource in listed for name in models_of(resource))
    affected = list(_affected(listed, known, clock.now().date()))
    if len(affected) <= page.limit:
        return Page(affected, found.next)
    last = affected[page.limit - 1].resource
    return Page(affected[: page.limit], named(sort, Cursor(last.created_at, last.resource_id)))


def _with_models(listed: list[Resource], resources: ResourceReader) -> Iterator[Resource]:
    """The resources, read again where only the settings tell the models: they were saved before prices were stored."""
    for resource in listed:
        is_known = bool(resource.prices) or resource.ai_model_id is None
        if found := resource if is_known else resources.get(resource.resource_id):
            yield found


def _affected(resources: list[Resource], known: Mapping[str, CatalogModel], today: date) -> Iterator[Affected]:
    for resource in resources:
        models = [one for one in used_models(resource, known, today) if one.status is not ModelStatus.OK]
        if models:
            yield Affected(resource, models)
