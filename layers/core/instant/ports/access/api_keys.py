"""API keys."""

from typing import Protocol

from instant.domain.access.api_key import ApiKey
from instant.domain.page import Page, PageRequest


class ApiKeyStore(Protocol):
    """Our API keys by hash."""

    def get(self, key_hash: str) -> ApiKey | None:
        """The record, read consistently."""

    def put(self, key: ApiKey) -> None:
        """Store a new key, without a limit on their number."""

    def create(self, key: ApiKey, *, most: int) -> None:
        """Store a new key of a user with fewer than `most` usable keys, else raise `LimitReached`.

        Raises `Unauthenticated` if its parent was revoked. Whatever is raised, the key is not valid afterwards.
        """

    def find(self, key_id: str) -> ApiKey | None:
        """The record of the key with this id, read consistently."""

    def of_user(self, user_id: str, page: PageRequest, *, revoked: bool = False) -> Page[ApiKey]:
        """A user's keys, newest first; without `revoked`, only those that are not revoked."""

    def descendants(self, key: ApiKey) -> list[ApiKey]:
        """The usable keys that were created with this one, or with one of its descendants; read consistently."""

    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        """Revoke the key permanently."""

    def note_use(self, key: ApiKey, hour: str) -> None:
        """Record a use in this hour, unless this or a later hour is recorded already."""
