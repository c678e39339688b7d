"""Single resources: reads and writes."""

from typing import Protocol

from instant.domain.resources.resource import Resource


class ResourceReader(Protocol):
    """Resources by id and by address; deleted ones are not found."""

    def get(self, resource_id: str) -> Resource | None:
        """The resource, from a consistent read."""

    def find(self, address: str) -> Resource | None:
        """The resource at `handle/slug`, from a consistent read."""


class ResourceStore(ResourceReader, Protocol):
    """Writes resources; every write is conditional."""

    def create(self, resource: Resource) -> None:
        """Store a new resource; `AddressTaken` if its owner already has the slug."""

    def replace(self, old: Resource, new: Resource) -> None:
        """Store `new` if `old` is still current (`RevisionConflict`); the address can change (`AddressTaken`)."""

    def delete(self, resource: Resource, deleted_at: str) -> None:
        """Mark the resource as deleted and free its address, if it is still current (`RevisionConflict`)."""
