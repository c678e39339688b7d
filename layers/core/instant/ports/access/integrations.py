"""Users' integrations."""

from typing import Protocol

from instant.domain.access.integration import Integration


class IntegrationReader(Protocol):
    """Reads one user's integration with one service."""

    def get(self, user_id: str, service: str) -> Integration | None:
        """The integration, from a consistent read."""


class IntegrationStore(IntegrationReader, Protocol):
    """Users' integrations with outside services."""

    def put(self, integration: Integration) -> None:
        """Store the integration, replacing an existing one."""

    def delete(self, user_id: str, service: str) -> None:
        """Forget it."""

    def enable(self, user_id: str, service: str, is_enabled: bool) -> bool:
        """Enable or disable the key; returns whether there is one."""

    def cap_of(self, user_id: str) -> int | None:
        """The user's maximum cost per call in nano-USD, if set, from a consistent read."""

    def set_cap(self, user_id: str, nanousd: int) -> None:
        """Set the user's maximum cost per call."""


class KeyStatusStore(Protocol):
    """The status of stored keys, as the service reported it."""

    def set(self, integration: Integration) -> None:
        """Record the status in `integration`, unless the key was replaced or deleted in the meantime."""

    def claim_check(self, integration: Integration, claimed: Integration) -> bool:
        """Record that one call checks the key; False if another call did so since `integration` was read."""
