"""POST /v1/embeddings: request and response bodies, and the call."""

from functools import partial
from typing import Annotated, Any, Literal, TypedDict

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from instant.domain.json_values import json_text
from instant.entrypoints.http.fields import Body
from instant.entrypoints.openai.calls import HttpCall, respond
from instant.entrypoints.openai.chat_body import Model, TextOrList
from instant.entrypoints.openai.completion import Stored
from instant.entrypoints.openai.named_resource import resource_of
from instant.entrypoints.openai.parameters import Ignored, Refused
from instant.resource_types.openrouter_embeddings import OpenRouterEmbeddings
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.streams.join import JoinDeps

_SETTINGS = ("dimensions", "input_type")
_INPUTS = ("input", "encoding_format")


class EmbeddingsBody(Body):
    """A request for embeddings. Fields without a description have the meaning that they have in OpenAI's API."""

    model: Model = Field(description="A resource of the type openrouter_embeddings: handle/slug, or its id.")
    input: TextOrList = Field(description="A text, or a list of texts; tokens are not supported.")
    encoding_format: str | None = Field(None, description="float or base64.")
    dimensions: int | None = None
    input_type: str | None = Field(None, description="OpenRouter's.")
    user: Annotated[Any, Ignored()] = None
    provider: Annotated[None, Refused("the owner of the resource sets it")] = None


class Embedding(TypedDict):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingsUsage(TypedDict):
    """The usage; `cost` is in US dollars, null if the provider did not report it."""

    prompt_tokens: int
    total_tokens: int
    cost: float | None


class Embeddings(TypedDict):
    """The embeddings; `id` is that of the execution, `model` as it was asked for."""

    id: str
    object: Literal["list"]
    model: str
    data: list[Embedding]
    usage: EmbeddingsUsage


def embed(body: EmbeddingsBody, call: HttpCall, deps: JoinDeps) -> Response[str]:
    """The embeddings of texts."""
    request = embeddings_request(body, call.idempotency_key)
    return respond(request, call, deps, partial(embeddings_text, model=body.model), lambda prepared: {})


def embeddings_request(body: EmbeddingsBody, idempotency_key: str | None) -> ExecuteRequest:
    """The request to execute; raises `NotFound` for a model that can be no resource."""
    given = {name: value for name, value in body if value is not None}
    return ExecuteRequest(
        **resource_of(body.model),
        inputs={name: given[name] for name in _INPUTS if name in given},
        overrides={name: given[name] for name in _SETTINGS if name in given},
        idempotency_key=idempotency_key,
        compatible=True,
        resource_types=frozenset({OpenRouterEmbeddings.name}),
    )


def embeddings_text(stored: Stored, model: str) -> str:
    """The JSON of the embeddings."""
    vectors, usage = stored["output"]["content"]["embeddings"], stored["usage"]
    tokens = usage["prompt_tokens"] or 0
    data = [{"object": "embedding", "index": number, "embedding": vector} for number, vector in enumerate(vectors)]
    body = {"id": stored["execution_id"], "object": "list", "model": model, "data": data}
    counts = f'"prompt_tokens":{tokens},"total_tokens":{tokens},"cost":{usage["cost_usd"] or "null"}'
    return f'{json_text(body)[:-1]},"usage":{{{counts}}}}}'
