"""The outside services, one file each; a new one is its file and a line here."""

from instant.integrations.openrouter import OpenRouter
from instant.integrations.service import Service

INTEGRATIONS: dict[str, Service] = {service.name: service for service in (OpenRouter(),)}
"""Every service that users can connect, by name."""
