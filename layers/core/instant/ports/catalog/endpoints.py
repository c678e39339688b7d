"""The endpoints of models in use."""

from typing import Protocol

from instant.domain.catalog.endpoint import Offers


class OffersReader(Protocol):
    """The endpoints of models in use."""

    def get(self, openrouter_id: str) -> Offers | None:
        """What was last read."""


class OffersStore(OffersReader, Protocol):
    """The endpoints of models in use, for the sync."""

    def put(self, offers: Offers) -> None:
        """Store what was read, replacing what was known before."""
