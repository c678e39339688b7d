"""A toy resource type: words go in, louder words come out; the one file that a new resource type is."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from instant.domain.catalog import CatalogModel
from instant.domain.errors import CredentialRejected, InvalidField, UpstreamError
from instant.domain.exchange import Request
from instant.domain.money import to_nanousd
from instant.domain.output import Answer
from instant.domain.receipt import Receipt
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Plan, Send


class Voice(BaseModel):
    """Whose voice, and how loud."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    loudness: int = Field(ge=1, le=11)


class Words(BaseModel):
    """What to shout."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: str = Field(min_length=1, max_length=100)


class Shout:
    """Costs a thousandth of a USD for each step of loudness, at most."""

    name = "shout"
    description = "Says it louder."
    integration = "megaphone"
    Config: type[BaseModel] = Voice

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def model_ids(self, config: Mapping[str, Any]) -> list[str]:
        """The voice."""
        return [str(config["model"])]

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Words, whatever the voice."""
        return Words.model_json_schema()

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Small models have small voices."""
        for model in models:
            if config["loudness"] > 5 and "mini" in model.openrouter_id:
                raise InvalidField.named("config.loudness", f"{model.openrouter_id} goes to 5")

    def plan(self, call: Call) -> Plan:
        """One shout."""
        words = parse(Words, call.inputs, "inputs").words
        body = json.dumps({"words": words, "loudness": call.config["loudness"], "user": call.user}).encode()
        request = Request(method="POST", base_url=self.base_url, path="/shouts", body=body)
        return Plan(request=request, worst_nanousd=call.config["loudness"] * 1_000_000)

    def run(self, plan: Plan, send: Send) -> Answer:
        """Shout once."""
        reply = send(plan.request)
        if reply.status == 401:
            raise CredentialRejected("The megaphone does not know the key.", receipt=Receipt(cost_nanousd=0))
        if reply.status != 200:
            raise UpstreamError("The megaphone is broken.", receipt=Receipt(cost_nanousd=0))
        shouted = json.loads(reply.body)
        receipt = Receipt(generation_id=shouted["id"], cost_nanousd=to_nanousd(Decimal(shouted["usd"])))
        return Answer({"type": "text", "content": shouted["shouted"]}, receipt)
