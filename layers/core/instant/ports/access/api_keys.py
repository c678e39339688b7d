"""API keys."""

from typing import Protocol

from instant.domain.access.api_key import ApiKey


class ApiKeyStore(Protocol):
    """Our API keys by hash."""

    def get(self, key_hash: str) -> ApiKey | None:
        """The record, read consistently."""

    def put(self, key: ApiKey) -> None:
        """Store a new key."""

    def find(self, key_id: str) -> ApiKey | None:
        """The record of the key with this id, read consistently."""

    def of_user(self, user_id: str) -> list[ApiKey]:
        """A user's keys, newest first."""

    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        """Revoke the key permanently."""

    def note_use(self, key: ApiKey, hour: str) -> None:
        """Record a use in this hour, unless this or a later hour is recorded already."""
