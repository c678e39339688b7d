"""The JSON bodies that routes take: unknown fields are refused, and errors never repeat what was sent."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from instant.domain.errors import InvalidField
from instant.domain.identity import Scope
from instant.domain.limits import MAX_DESCRIPTION_CHARACTERS, MAX_ID_CHARACTERS, MAX_NAME_CHARACTERS
from instant.domain.resource import Visibility
from instant.domain.secret import Secret
from instant.domain.successor import SuccessorPolicy

type Choice[E: StrEnum] = Annotated[E, Field(strict=False)]
type Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARACTERS, pattern=r"\S")]
type Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
type Text = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARACTERS)]
type Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
type Author = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,100}$")]
type Search = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
type Address = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}$")]
type SettableScope = Literal["user", "api_key", "resource", "global"]
type BudgetUsd = Annotated[Decimal, Field(strict=False, ge=0, le=1_000_000, max_digits=16, decimal_places=9)]
type Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARACTERS)]
type UsdAmount = Annotated[Decimal, Field(strict=False, ge=0, le=1_000, max_digits=13, decimal_places=9)]


def _iso_text(value: object) -> object:
    """Numbers, and digits alone, would be taken for seconds since 1970."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\dT", value):
        raise ValueError("must be a time with its zone, such as 2030-01-31T12:00:00Z")
    return value


def _day_text(value: object) -> object:
    """A day alone: times of a day, and seconds since 1970, are something else."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a day, such as 2030-01-31")
    return value


type Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_iso_text)]
type Day = Annotated[date, Field(strict=False), BeforeValidator(_day_text)]


def given(*names: str) -> dict[str, Any]:
    """The JSON Schema of bodies that have all these fields, none of them null."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


class Body(BaseModel):
    """What all bodies have in common: nothing is taken for what it is not; JSON has text for times, choices, money."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True, defer_build=True)


class Execute(Body):
    """Which resource, by id or by address, and its inputs."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [given("resource_id"), given("resource")]})

    resource_id: Id | None = None
    resource: Address | None = Field(None, description="handle/slug, instead of resource_id.")
    inputs: dict[str, Any]
    overrides: dict[str, Any] = Field(
        default_factory=dict, description="Settings that the owner lets callers override."
    )

    @model_validator(mode="after")
    def _names_one(self) -> "Execute":
        if (self.resource_id is None) == (self.resource is None):
            raise ValueError("name the resource once: by resource_id, or by resource as handle/slug")
        return self


class NewResource(Body):
    """A resource to create; `config` is what its type says at GET /api/resource-types."""

    resource_type: str
    name: Name
    slug: Slug | None = None
    description: Text | None = None
    category: Category | None = None
    visibility: Choice[Visibility] = Visibility.PRIVATE
    successor_policy: Choice[SuccessorPolicy] = Field(
        SuccessorPolicy.SUGGEST,
        description="When the model ends: say nothing of a successor, suggest it, or have it serve the calls.",
    )
    config: dict[str, Any]


def _never_null(schema: dict[str, Any]) -> None:
    """None stands for what was left out; null itself is refused, and the document must not offer it."""
    kinds = schema.pop("anyOf")
    schema.update(next(kind for kind in kinds if kind.get("type") != "null"))
    del schema["default"]


class ResourceChanges(Body):
    """Fields to change; those left out stay, description and category may be set to null."""

    name: Name | None = Field(None, json_schema_extra=_never_null)
    slug: Slug | None = Field(None, json_schema_extra=_never_null)
    description: Text | None = None
    category: Category | None = None
    visibility: Choice[Visibility] | None = Field(None, json_schema_extra=_never_null)
    successor_policy: Choice[SuccessorPolicy] | None = Field(None, json_schema_extra=_never_null)
    config: dict[str, Any] | None = Field(None, json_schema_extra=_never_null)

    def wanted(self) -> dict[str, Any]:
        """What was sent, and only that."""
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("name", "slug", "visibility", "successor_policy", "config"):
            if name in changes and changes[name] is None:
                raise InvalidField.named(name, "cannot be null")
        return changes


class PreviewBody(Body):
    """A call to look at: `resource_id` names a resource of one's own, `resource_type` and `config` describe a draft."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {**given("resource_id"), "not": {"anyOf": [given("resource_type"), given("config")]}},
                {**given("resource_type", "config"), "not": given("resource_id")},
            ]
        }
    )

    resource_id: Id | None = None
    resource_type: str | None = None
    config: dict[str, Any] | None = None
    inputs: dict[str, Any]
    overrides: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "PreviewBody":
        is_draft = self.resource_type is not None and self.config is not None
        is_mixed = self.resource_id is not None and (self.resource_type is not None or self.config is not None)
        if is_mixed or is_draft == (self.resource_id is not None):
            raise ValueError("send resource_id, or else resource_type and config")
        return self


class NewIntegration(Body):
    """A key to connect, and what one call with it may cost in USD."""

    api_key: Secret
    max_cost_per_call_usd: UsdAmount | None = None


class BeginConnection(Body):
    """Where the browser comes back to; without it the service shows the code for copying."""

    callback_url: Text | None = Field(
        None, description="One of the template's ConnectCallbackUrls, with a query if you like."
    )


class CompleteConnection(Body):
    """What the service gave the browser, and the verifier that was kept; what one call may cost in USD."""

    code: Secret
    code_verifier: Secret
    max_cost_per_call_usd: UsdAmount | None = None


class IntegrationChanges(Body):
    """Settings of a connection; those left out stay."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [given("is_enabled"), given("max_cost_per_call_usd")]})

    is_enabled: bool | None = None
    max_cost_per_call_usd: UsdAmount | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "IntegrationChanges":
        if self.is_enabled is None and self.max_cost_per_call_usd is None:
            raise ValueError("send is_enabled, max_cost_per_call_usd, or both")
        return self


def _repeatable(schema: dict[str, Any]) -> None:
    """A scope that is named twice is meant once."""
    del schema["uniqueItems"]


class NewApiKey(Body):
    """A key of ours to make; without an expiry it is good until revoked."""

    name: Name
    scopes: Annotated[frozenset[Choice[Scope]], Field(strict=False, min_length=1, json_schema_extra=_repeatable)]
    expires_at: Moment | None = None


class SyncOrder(Body):
    """How to sync: what an admin lets pass this once."""

    accept_losses: bool = Field(False, description="Lose more models than the guard allows.")
    accept_prices: bool = Field(False, description="Believe every price as it is announced.")


def _scopes(*names: str) -> dict[str, Any]:
    return {"properties": {"scope": {"enum": names}}}


class NewBudget(Body):
    """What may be spent at most in a day and in a month, in USD: 0 is nothing, null no limit, twice null no budget."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {**_scopes("user", "global"), "not": given("id")},
                {"allOf": [_scopes("api_key", "resource"), given("id")]},
            ]
        }
    )

    scope: SettableScope = Field(
        description="Whose calls: `user`, all of yours, whoever pays for them; `api_key`, those made with this key of "
        "yours (one that may `manage` could lift its own budget: give it `execute` only); `resource`, everybody's of "
        "this resource of yours; `global`, all there are, set by admins."
    )
    id: Id | None = Field(None, description="Of the key or of the resource; left out for the others.")
    daily_usd: BudgetUsd | None
    monthly_usd: BudgetUsd | None
