"""The endpoints of models in use."""

from typing import Protocol

from instant.domain.catalog.endpoint import ModelEndpoints


class ModelEndpointsReader(Protocol):
    """The endpoints of models in use."""

    def get(self, openrouter_id: str) -> ModelEndpoints | None:
        """The endpoints as of the last sync."""


class ModelEndpointsStore(ModelEndpointsReader, Protocol):
    """The endpoints of models in use, for the sync."""

    def put(self, model_endpoints: ModelEndpoints) -> None:
        """Store endpoints, replacing the previous ones."""
