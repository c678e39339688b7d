"""A toy resource type without a model: the same megaphone, at a loudness of the owner's."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from instant.domain.executions.plan import Plan
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Flow, ResourceType
from tests.toys.shout import Words, read_shout, shout


class Loudness(BaseModel):
    """How loud."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    loudness: int = Field(ge=1, le=11)


class Announce(ResourceType):
    """No model is involved."""

    name = "announce"
    description = "Says it over the loudspeakers."
    integration = "megaphone"
    Config = Loudness

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Words."""
        return Words.model_json_schema()

    def plan(self, call: Call) -> Plan:
        """One shout."""
        return shout(parse(Words, call.inputs, "inputs").words, call.config["loudness"], call.user)

    def flow(self, plan: Plan) -> Flow:
        """One exchange."""
        return read_shout((yield plan.request))
