"""Read one resource with its details, and list resources."""

from collections.abc import Iterator
from dataclasses import dataclass

from instant.domain.access.identity import Identity
from instant.domain.catalog.impact import UsedModel
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.errors import InvalidField, NotFound
from instant.domain.page import Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort, named, within
from instant.domain.resources.ranking import usage_of
from instant.domain.resources.resource import Badge, Resource
from instant.domain.resources.stats import Stats
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.resources.lists import ResourceLists
from instant.ports.resources.stats import StatsStore
from instant.ports.resources.store import ResourceReader
from instant.resource_types import RESOURCE_TYPES
from instant.use_cases.resources.manage import resource_type_named
from instant.use_cases.resources.models import models_of, used_models, with_successors

SURELY = 0.9
"""Minimum success rate, at 95 % confidence, of a reliable resource: 35 of 35 calls meet it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A resource with its details; `used` holds its models, the primary model first."""

    resource: Resource
    model: CatalogModel | None
    used: list[UsedModel]
    stats: Stats
    badges: list[Badge]


def read_resource(
    resource_id: str,
    caller: Identity,
    resources: ResourceReader,
    models: ModelLookup,
    stats: StatsStore,
    clock: Clock,
) -> Detail:
    """A resource that the caller may see, with its models and statistics."""
    resource = resources.get(resource_id)
    if resource is None or not resource.visible_to(caller.user_id):
        raise NotFound.of("resource")
    known, now = models.some(models_of(resource)), clock.now()
    model = known.get(resource.ai_model_id or "")
    used = used_models(resource, known, now.date())
    if caller.may_read_settings(resource.owner_id) and resource.successor_policy is not SuccessorPolicy.NONE:
        used = list(with_successors(used, resource, known, models, now.date()))
    counts = stats.of(resource.resource_id, now)
    badges = sorted(badges_of(resource, model, counts))
    return Detail(resource, model, used, counts, badges)


def badges_of(resource: Resource, model: CatalogModel | None, stats: Stats) -> Iterator[Badge]:
    """The labels from the resource type and from the call statistics."""
    yield from RESOURCE_TYPES[resource.resource_type].badges(resource.config, model)
    if usage_of(stats).sure_rate >= SURELY:
        yield "reliable"


def list_own(
    caller: Identity, sort: ResourceSort, resource_filter: ResourceFilter, page: PageRequest, lists: ResourceLists
) -> Page[Resource]:
    """The caller's resources, newest first; only public resources are ranked."""
    if sort is not ResourceSort.NEWEST:
        raise InvalidField.named("sort", f"{sort} orders public resources only; add listing=public")
    return _in_order(sort, lists.owned_by(caller.user_id, _known(resource_filter), within(sort, page)))


def list_public(
    sort: ResourceSort, resource_filter: ResourceFilter, page: PageRequest, lists: ResourceLists
) -> Page[Resource]:
    """Public resources of all users, highest rank first."""
    return _in_order(sort, lists.public(sort, _known(resource_filter), within(sort, page)))


def _in_order(sort: ResourceSort, page: Page[Resource]) -> Page[Resource]:
    return Page(page.items, named(sort, page.next))


def _known(resource_filter: ResourceFilter) -> ResourceFilter:
    if resource_filter.resource_type is not None:
        resource_type_named(resource_filter.resource_type)
    return resource_filter
