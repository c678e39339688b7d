"""The outside services, one file each; a new one is its file and a line here."""

from collections.abc import Mapping

from instant.domain.errors import NotFound
from instant.integrations.openrouter import OpenRouter
from instant.integrations.service import KeyedService, Service

INTEGRATIONS: dict[str, Service] = {service.name: service for service in (OpenRouter(),)}
"""Every service, by name."""


def service_named(name: str) -> KeyedService:
    """The service of this name; `NotFound` if there is none that takes users' keys."""
    service = INTEGRATIONS.get(name)
    if not isinstance(service, KeyedService):
        raise NotFound.of("service")
    return service


def base_url_of(name: str, overrides: Mapping[str, str]) -> str:
    """Where the integration of this name is reached: where the operator says, else at the service's own address."""
    return overrides.get(name) or INTEGRATIONS[name].base_url
