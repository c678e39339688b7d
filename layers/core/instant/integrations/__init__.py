"""The outside services, one module or package each; a new service is registered here."""

from collections.abc import Mapping

from instant.domain.errors import NotFound
from instant.integrations.openrouter import OpenRouter
from instant.integrations.service import KeyedService, Service

INTEGRATIONS: dict[str, Service] = {service.name: service for service in (OpenRouter(),)}
"""All services by name."""


def service_named(name: str) -> KeyedService:
    """The service with this name; `NotFound` if no service with user keys has this name."""
    service = INTEGRATIONS.get(name)
    if not isinstance(service, KeyedService):
        raise NotFound.of("service")
    return service


def base_url_of(name: str, overrides: Mapping[str, str]) -> str:
    """The base URL of an integration: the operator's override, else the service's own."""
    return overrides.get(name) or INTEGRATIONS[name].base_url
