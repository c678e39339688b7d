"""The preview of a call: request and response bodies."""

from typing import Annotated, Any, TypedDict

from pydantic import ConfigDict, Field, model_validator

from instant.domain.money import usd_text
from instant.entrypoints.http.fields import Body, Id, JsonObject, Usd, given
from instant.use_cases.executions.preview import Preview


class PreviewBody(Body):
    """A call to preview: `resource_id` is one of the caller's resources; `resource_type` and `config` are a draft."""

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


class PreviewedCall(TypedDict):
    """What a call would send, and cost at most."""

    request: Annotated[
        JsonObject,
        Field(description="The chat body without what depends on the payer: `user`, `provider.max_price`."),
    ]
    worst_case_usd: Usd
    inputs_schema: JsonObject


def preview_view(preview: Preview) -> PreviewedCall:
    """What a call would send, and cost at most."""
    return {
        "request": dict(preview.request),
        "worst_case_usd": usd_text(preview.worst_nanousd),
        "inputs_schema": dict(preview.inputs_schema),
    }
