"""The endpoints of models in use."""

from typing import Protocol

from instant.domain.catalog.endpoint import ModelEndpoints


class ModelEndpointsReader(Protocol):
    """The endpoints of models in use."""

    def get(self, openrouter_id: str) -> ModelEndpoints | None:
        """What was last read."""


class ModelEndpointsStore(ModelEndpointsReader, Protocol):
    """The endpoints of models in use, for the sync."""

    def put(self, model_endpoints: ModelEndpoints) -> None:
        """Store what was read, replacing what was known before."""
