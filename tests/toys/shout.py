"""A toy resource type for the megaphone; a new resource type needs only one such file."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import CredentialRejected, InvalidField, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.executions.receipt import Receipt
from instant.domain.money import to_nanousd
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Flow, ResourceType


class Voice(BaseModel):
    """Settings: the model and the loudness."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    loudness: int = Field(ge=1, le=11)


class Words(BaseModel):
    """Inputs: the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: str = Field(min_length=1, max_length=100)


class Shout(ResourceType):
    """Costs at most 0.001 USD per step of loudness."""

    name = "shout"
    description = "Says it louder."
    integration = "megaphone"
    Config = Voice

    def models(self, config: Mapping[str, Any]) -> list[str]:
        """The model of the settings."""
        return [str(config["model"])]

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The schema of `Words`, for all settings."""
        return Words.model_json_schema()

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Rejects a loudness above 5 for small models."""
        for model in models:
            if config["loudness"] > 5 and "mini" in model.openrouter_id:
                raise InvalidField.named("config.loudness", f"{model.openrouter_id} goes to 5")

    def plan(self, call: Call) -> Plan:
        """A plan with one request."""
        words = parse(Words, call.inputs, "inputs").words
        return shout(words, call.config["loudness"], call.user)

    def flow(self, plan: Plan) -> Flow:
        """Send the request and read its response."""
        return read_shout((yield plan.request))


def shout(words: str, loudness: int, user: str) -> Plan:
    """A plan with one request to the megaphone, and its worst case."""
    shown = {"words": words, "loudness": loudness}
    body = json.dumps({**shown, "user": user}).encode()
    request = Request(method="POST", integration="megaphone", path="/shouts", body=body)
    return Plan(request=request, worst_nanousd=loudness * 1_000_000, preview=shown)


def read_shout(reply: Reply) -> Answer:
    """Read the answer; raises `Failure` for an error response."""
    if reply.status == 401:
        raise Failure(CredentialRejected("The megaphone does not know the key."))
    if reply.status != 200:
        raise Failure(UpstreamError("The megaphone is broken."))
    shouted = json.loads(reply.body)
    receipt = Receipt(generation_id=shouted["id"], cost_nanousd=to_nanousd(Decimal(shouted["usd"])))
    return Answer({"type": "text", "content": shouted["shouted"]}, receipt)
