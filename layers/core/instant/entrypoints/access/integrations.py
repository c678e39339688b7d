"""Integrations: request and response bodies."""

from typing import Annotated, TypedDict

from pydantic import ConfigDict, Field, model_validator

from instant.domain.access.integration import Account, KeyStatus
from instant.domain.money import usd_text
from instant.domain.secret import Secret
from instant.entrypoints.http.fields import Body, Time, Usd, UsdAmount, given


class NewIntegration(Body):
    """A key to store, and the cap per call in USD."""

    api_key: Secret
    max_cost_per_call_usd: UsdAmount | None = None


class IntegrationChanges(Body):
    """Settings of an integration; omitted fields are unchanged."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [given("is_enabled"), given("max_cost_per_call_usd")]})

    is_enabled: bool | None = None
    max_cost_per_call_usd: UsdAmount | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "IntegrationChanges":
        if self.is_enabled is None and self.max_cost_per_call_usd is None:
            raise ValueError("send is_enabled, max_cost_per_call_usd, or both")
        return self


class Integration(TypedDict):
    """An integration with a service: never the key, only its last four characters."""

    service: str
    hint: str
    key_sha256: Annotated[str, Field(description="OpenRouter's non-secret identifier of the key.")]
    label: str | None
    status: KeyStatus
    is_enabled: bool
    limit_remaining_usd: Annotated[
        Usd | None, Field(description="The remaining spend limit of the key; null if it has no limit.")
    ]
    max_cost_per_call_usd: Usd
    last_verified_at: Time | None
    created_at: Time


def integration_view(account: Account) -> Integration:
    """An integration with its user's cap: never the key, only its last four characters."""
    integration = account.integration
    assert integration is not None, "an account without a key has no view"
    return {
        "service": integration.service,
        "hint": integration.hint,
        "key_sha256": integration.key_sha256,
        "label": integration.label,
        "status": integration.status,
        "is_enabled": integration.is_enabled,
        "limit_remaining_usd": integration.limit_remaining,
        "max_cost_per_call_usd": usd_text(account.cap_nanousd),
        "last_verified_at": integration.last_verified_at,
        "created_at": integration.created_at,
    }
