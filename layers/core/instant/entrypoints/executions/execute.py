"""POST /api/execute: request and response bodies."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from instant.domain.executions.output import Output
from instant.entrypoints.http.fields import Body, Id, JsonObject, Usd, given

type Address = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}$")]


class Execute(Body):
    """A resource, by id or by address, and its inputs."""

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


class TokenUsage(TypedDict):
    """The usage of a call; lists of executions have the tokens and the cost only."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: NotRequired[Annotated[int | None, Field(description="Part of the prompt's tokens.")]]
    reasoning_tokens: NotRequired[Annotated[int | None, Field(description="Part of the completion's tokens.")]]
    image_tokens: NotRequired[Annotated[int | None, Field(description="Part of the completion's tokens.")]]
    web_searches: NotRequired[int | None]
    cost_usd: Annotated[Usd | None, Field(description="As the provider reported it; null is unknown, not free.")]


class ExecutedCall(TypedDict):
    """The response of a call."""

    success: Literal[True]
    execution_id: str
    output: Output
    model: Annotated[str | None, Field(description="The model that served; null where the type needs none.")]
    provider: str | None
    usage: TokenUsage
    finish_reason: str | None
    error: NotRequired[
        Annotated[
            JsonObject, Field(description="`too_large` beside an output that is delivered by URL: the call succeeded.")
        ]
    ]
