"""Resources in lists, and their ranks."""

from collections.abc import Iterator
from typing import Protocol

from instant.domain.page import Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource


class ResourceLists(Protocol):
    """Resources in lists: each page looks at no more than `MAX_EXAMINED` rows, so it may be short and yet go on."""

    def owned_by(self, user_id: str, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        """A user's own resources, newest first."""

    def public(self, sort: ResourceSort, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        """Everybody's public resources, without their settings."""


class RankStore(Protocol):
    """The ranks of public resources."""

    def every_public(self) -> Iterator[Resource]:
        """Each public resource with its usage as last ranked, one page in memory at a time."""

    def rank(self, resource_id: str, usage: UseCounts) -> bool:
        """Note the usage, if the resource is still there and public; whether it was noted."""
