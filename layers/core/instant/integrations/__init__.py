"""The outside services, one file each; a new one is its file and a line here."""

from instant.domain.errors import NotFound
from instant.integrations.openrouter import OpenRouter
from instant.integrations.service import Service

INTEGRATIONS: dict[str, Service] = {service.name: service for service in (OpenRouter(),)}
"""Every service that users can connect, by name."""


def service_named(name: str) -> Service:
    """The service of this name; `NotFound` if users cannot connect it."""
    if name not in INTEGRATIONS:
        raise NotFound.of("service")
    return INTEGRATIONS[name]
