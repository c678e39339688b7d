"""Users' integrations."""

from typing import Protocol

from instant.domain.access.integration import Integration, KeyStatus


class IntegrationReader(Protocol):
    """One user's integration to one service."""

    def get(self, user_id: str, service: str) -> Integration | None:
        """The integration, read consistently."""


class IntegrationStore(IntegrationReader, Protocol):
    """Users' integrations to outside services."""

    def put(self, integration: Integration) -> None:
        """Store it, replacing the one before."""

    def delete(self, user_id: str, service: str) -> None:
        """Forget it."""

    def enable(self, user_id: str, service: str, is_enabled: bool) -> bool:
        """Switch the key on or off; whether there is one."""

    def cap_of(self, user_id: str) -> int | None:
        """The most that one call may cost the user in nano-USD, as set; read consistently."""

    def set_cap(self, user_id: str, nanousd: int) -> None:
        """Set the most that one call may cost the user."""


class KeyStatusStore(Protocol):
    """What an integration said about a stored key."""

    def set(self, integration: Integration, status: KeyStatus, at: str, limit_remaining: str | None = None) -> None:
        """Store the status, unless the key was replaced or deleted meanwhile."""
