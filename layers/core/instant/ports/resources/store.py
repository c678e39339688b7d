"""Resources, one at a time."""

from typing import Protocol

from instant.domain.resources.resource import Resource


class ResourceReader(Protocol):
    """Resources by id and by address; deleted ones are not found."""

    def get(self, resource_id: str) -> Resource | None:
        """The resource, read consistently."""

    def find(self, address: str) -> Resource | None:
        """The resource at `handle/slug`, read consistently."""


class ResourceStore(ResourceReader, Protocol):
    """Resources, to be changed; every write is conditional."""

    def create(self, resource: Resource) -> None:
        """Store a new one; `AddressTaken` if its owner already has the slug."""

    def replace(self, old: Resource, new: Resource) -> None:
        """Store `new` if `old` is still current (`RevisionConflict`); its address may move (`AddressTaken`)."""

    def delete(self, resource: Resource, deleted_at: str) -> None:
        """Mark it deleted and free its address, if it is still current (`RevisionConflict`)."""
