"""Each function's environment as a frozen model; nothing else reads os.environ."""

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instant.domain.access.token import is_safe_url


class Settings(BaseModel):
    """An environment: field `api_keys_table` is read from the required variable `API_KEYS_TABLE`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Load the settings from the environment variables of the template."""
        return cls.model_validate(
            {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        )


class UpstreamSettings(Settings):
    """Settings for access to outside services."""

    openrouter_base_url: str

    @property
    def base_urls(self) -> Mapping[str, str]:
        """The operator's base URL overrides by integration name."""
        ending = "_base_url"
        names = [name for name in type(self).model_fields if name.endswith(ending)]
        return {name.removesuffix(ending): getattr(self, name) for name in names}


class HttpSettings(Settings):
    """Settings of every HTTP function."""

    cors_origins: str = ""


class CountedSettings(HttpSettings):
    """Settings for rate limits per user."""

    limits_table: str
    rate_per_minute: int = Field(ge=1)


class KeyCheckSettings(HttpSettings):
    """Settings for the rate limit of key checks per user."""

    limits_table: str
    key_checks_per_hour: int = Field(ge=1)


class AuthorizerSettings(Settings):
    """functions/authorizer."""

    api_keys_table: str
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_jwks_url: str = ""
    jwt_admins: str = ""

    @property
    def admins(self) -> frozenset[str]:
        """The subjects with the admin scope."""
        return frozenset(filter(None, map(str.strip, self.jwt_admins.split(","))))

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        if bool(self.jwt_issuer) != bool(self.jwt_audience):
            raise ValueError("JwtIssuer and JwtAudience must be set together: a token must be issued for this API.")
        if not self.jwt_issuer and (self.jwt_jwks_url or self.jwt_admins):
            raise ValueError("JwtJwksUrl and JwtAdmins require JwtIssuer.")
        if not all(map(is_safe_url, filter(None, (self.jwt_issuer, self.jwt_jwks_url)))):
            raise ValueError("JwtIssuer and JwtJwksUrl must be https URLs.")
        return self


class ExecuteSettings(UpstreamSettings, HttpSettings):
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
    limits_table: str
    usage_table: str
    execute_per_minute: int = Field(ge=1)
    max_in_flight: int = Field(ge=1)
    retention_days: int = Field(ge=10)
    platform_models: str = ""
    platform_daily_usd: Decimal = Field(Decimal(0), ge=0)
    platform_daily_usd_each: Decimal = Field(Decimal(0), ge=0)
    public_url: str = ""

    @property
    def paid_models(self) -> frozenset[str]:
        """The models for which the platform's own key can be used."""
        return frozenset(filter(None, map(str.strip, self.platform_models.split(","))))


class StreamSettings(ExecuteSettings):
    """functions/stream."""


class OpenaiSettings(StreamSettings, CountedSettings):
    """functions/openai."""


class ReconcileSettings(UpstreamSettings):
    """functions/reconcile."""

    stage: str
    executions_table: str
    resource_stats_table: str
    usage_table: str
    limits_table: str
    integrations_table: str
    credentials_key: str
    retention_days: int = Field(ge=10)


class ExecutionsSettings(CountedSettings):
    """functions/executions."""

    executions_table: str
    media_bucket: str
    public_url: str = ""


class UsageSettings(CountedSettings):
    """functions/usage."""

    executions_table: str
    usage_table: str
    models_table: str


class BudgetsSettings(CountedSettings):
    """functions/budgets."""

    resources_table: str
    api_keys_table: str


class ImagesSettings(CountedSettings):
    """functions/images."""

    images_table: str
    executions_table: str
    media_bucket: str


class ResourcesSettings(CountedSettings):
    """functions/resources."""

    resources_table: str
    resource_stats_table: str
    models_table: str
    resources_per_user: int = Field(ge=1)
    retention_days: int = Field(ge=10)


class PreviewSettings(CountedSettings):
    """functions/preview."""

    resources_table: str
    models_table: str


class RankResourcesSettings(Settings):
    """functions/rank_resources."""

    resources_table: str
    resource_stats_table: str


class IntegrationsSettings(CountedSettings, KeyCheckSettings, UpstreamSettings):
    """functions/integrations."""

    stage: str
    integrations_table: str
    credentials_key: str
    openrouter_auth_url: str
    connect_callback_urls: str = ""

    @property
    def authorize_pages(self) -> Mapping[str, str]:
        """The operator's overrides of the authorize page, by integration name."""
        return {"openrouter": self.openrouter_auth_url}


class PlatformIntegrationsSettings(CountedSettings, KeyCheckSettings, UpstreamSettings):
    """functions/platform_integrations."""

    stage: str
    integrations_table: str
    credentials_key: str


class IntegrationTestSettings(KeyCheckSettings, UpstreamSettings):
    """functions/integration_test."""

    stage: str
    integrations_table: str
    credentials_key: str


class ApiKeysSettings(CountedSettings):
    """functions/api_keys."""

    api_keys_table: str
    api_keys_per_user: int = Field(ge=1)
    retention_days: int = Field(ge=10)


class CatalogSettings(CountedSettings):
    """functions/catalog."""

    models_table: str
    model_changes_table: str
    event_bus: str
    catalog_fresh_seconds: float = Field(ge=0)


class ModelChangesSettings(HttpSettings):
    """functions/model_changes."""

    models_table: str
    model_changes_table: str
    public_url: str = ""


class ModelEndpointsSettings(HttpSettings):
    """functions/model_endpoints."""

    model_endpoints_table: str


class PreflightSettings(HttpSettings):
    """functions/preflight."""


class CatalogSyncSettings(UpstreamSettings):
    """functions/catalog_sync."""

    models_table: str
    model_changes_table: str
    model_endpoints_table: str
    resources_table: str
    limits_table: str
    event_bus: str
    catalog_max_loss_percent: int = Field(ge=0, le=100)


class ModelImpactSettings(Settings):
    """functions/model_impact."""

    models_table: str
    model_changes_table: str
    resources_table: str
    event_bus: str
