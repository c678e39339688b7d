"""Resources in lists, and their ranks."""

from collections.abc import Iterator
from typing import Protocol

from instant.domain.page import Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource


class ResourceLists(Protocol):
    """Lists of resources: each page examines at most `MAX_EXAMINED` rows, so a short page can have a next page."""

    def owned_by(self, user_id: str, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        """A user's own resources, newest first, without their settings."""

    def public(self, sort: ResourceSort, resource_filter: ResourceFilter, page: PageRequest) -> Page[Resource]:
        """The public resources of all users, without their settings."""


class RankStore(Protocol):
    """The ranks of public resources."""

    def every_public(self) -> Iterator[Resource]:
        """All public resources with their usage as of the last ranking, one page in memory at a time."""

    def rank(self, resource_id: str, usage: UseCounts) -> bool:
        """Record the usage, if the resource still exists and is public; returns whether it was recorded."""
