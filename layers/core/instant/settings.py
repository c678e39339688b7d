"""Each function's environment as a frozen model; nothing else reads os.environ."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """An environment: field `api_keys_table` is read from the variable `API_KEYS_TABLE`, and must be there."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings as the template gave them."""
        return cls.model_validate(
            {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        )


class AuthorizerSettings(Settings):
    """functions/authorizer."""

    api_keys_table: str


class ExecuteSettings(Settings):
    """functions/execute."""

    stage: str
    resources_table: str
    resource_stats_table: str
    integrations_table: str
    models_table: str
    executions_table: str
    images_table: str
    media_bucket: str
    credentials_key: str
    openrouter_base_url: str
    retention_days: int = Field(ge=8)
    public_url: str = ""


class ExecutionsSettings(Settings):
    """functions/executions."""

    executions_table: str
    media_bucket: str
    public_url: str = ""


class ImagesSettings(Settings):
    """functions/images."""

    images_table: str
    media_bucket: str


class ResourcesSettings(Settings):
    """functions/resources."""

    resources_table: str
    resource_stats_table: str
    models_table: str


class PreviewSettings(Settings):
    """functions/preview."""

    resources_table: str
    models_table: str


class RankResourcesSettings(Settings):
    """functions/rank_resources."""

    resources_table: str
    resource_stats_table: str


class IntegrationsSettings(Settings):
    """functions/integrations."""

    stage: str
    integrations_table: str
    credentials_key: str
    openrouter_base_url: str


class IntegrationTestSettings(Settings):
    """functions/integration_test."""

    stage: str
    integrations_table: str
    credentials_key: str
    openrouter_base_url: str


class ApiKeysSettings(Settings):
    """functions/api_keys."""

    api_keys_table: str


class CatalogSettings(Settings):
    """functions/catalog."""

    models_table: str
    limits_table: str
    event_bus: str


class CatalogSyncSettings(Settings):
    """functions/catalog_sync."""

    models_table: str
    limits_table: str
    openrouter_base_url: str
    catalog_max_loss_percent: int = Field(ge=0, le=100)
