"""A toy resource type for another endpoint of OpenRouter: embeddings."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import CredentialRejected, UpstreamError
from instant.domain.exchange import Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.executions.receipt import Receipt
from instant.domain.money import to_nanousd
from instant.domain.validation import parse
from instant.resource_types.resource_type import Call, Flow, ResourceType
from tests.toys.shout import Words


class EmbeddingModel(BaseModel):
    """Settings: the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str


class Embeddings(ResourceType):
    """Returns the embedding of a text."""

    name = "embeddings"
    description = "Turns words into numbers."
    integration = "openrouter"
    Config = EmbeddingModel

    def models(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The model of the settings."""
        return [config["model"]]

    def supports(self, model: CatalogModel) -> str | None:
        """Only models with embeddings as output."""
        return None if "embeddings" in model.output_modalities else "makes no embeddings"

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The schema of `Words`."""
        return Words.model_json_schema()

    def plan(self, call: Call) -> Plan:
        """A plan with one request; the worst case is one token per byte."""
        words, (model, *_) = parse(Words, call.inputs, "inputs").words, call.models
        shown = {"model": model.openrouter_id, "input": words}
        body = json.dumps({**shown, "user": call.user}).encode()
        return Plan(
            request=Request(method="POST", integration="openrouter", path="/embeddings", body=body),
            worst_nanousd=to_nanousd(Decimal(model.pricing["prompt"]) * len(words.encode())),
            preview=shown,
        )

    def flow(self, plan: Plan) -> Flow:
        """Send the request and read its response."""
        reply = yield plan.request
        if reply.status == 401:
            raise Failure(CredentialRejected("OpenRouter does not accept the key."))
        if reply.status != 200:
            raise Failure(UpstreamError("OpenRouter made no embedding."))
        body = json.loads(reply.body, parse_float=Decimal)
        receipt = Receipt(
            generation_id=body["id"],
            model=body["model"],
            prompt_tokens=body["usage"]["prompt_tokens"],
            cost_nanousd=to_nanousd(Decimal(body["usage"]["cost"])),
        )
        return Answer({"type": "json", "content": [str(n) for n in body["data"][0]["embedding"]]}, receipt)
