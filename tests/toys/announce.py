"""A toy resource type without a model: it calls the megaphone with the loudness in its settings."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from instant.domain.executions.plan import Plan
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Flow, ResourceType
from tests.toys.shout import Words, read_shout, shout


class Loudness(BaseModel):
    """Settings: the loudness."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    loudness: int = Field(ge=1, le=11)


class Announce(ResourceType):
    """A resource type whose settings name no model."""

    name = "announce"
    description = "Says it over the loudspeakers."
    integration = "megaphone"
    Config = Loudness

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The schema of `Words`."""
        return Words.model_json_schema()

    def plan(self, call: Call) -> Plan:
        """A plan with one request to the megaphone."""
        return shout(parse(Words, call.inputs, "inputs").words, call.config["loudness"], call.user)

    def flow(self, plan: Plan) -> Flow:
        """Send the request and read its response."""
        return read_shout((yield plan.request))
