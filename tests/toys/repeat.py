"""A toy resource type without a key and without a model."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from instant.domain.errors import UpstreamError
from instant.domain.exchange import Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.executions.receipt import Receipt
from instant.domain.money import to_nanousd
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Flow, ResourceType
from tests.toys.shout import Words


class Nothing(BaseModel):
    """Settings without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Repeat(ResourceType):
    """A call can cost more than the default cost cap of a user."""

    name = "repeat"
    description = "Says it again."
    Config = Nothing

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The schema of `Words`."""
        return Words.model_json_schema()

    def plan(self, call: Call) -> Plan:
        """A plan with one request; the worst case grows with the length of the text."""
        words = parse(Words, call.inputs, "inputs").words
        request = Request(method="POST", integration="parrot", path="/repeat", body=json.dumps(words).encode())
        return Plan(request=request, worst_nanousd=len(words) * 10_000_000, preview={"words": words})

    def flow(self, plan: Plan) -> Flow:
        """Send the request and read its response."""
        reply = yield plan.request
        if reply.status != 200:
            raise Failure(UpstreamError("The parrot is asleep."))
        said = json.loads(reply.body)
        return Answer({"type": "text", "content": said["said"]}, Receipt(cost_nanousd=to_nanousd(Decimal(said["usd"]))))
