"""/v1: the routes that clients of OpenAI's API call: chat completions, responses, embeddings and models."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.clock import SystemClock
from instant.adapters.executions.retry_pointers import DynamoRetryPointers
from instant.adapters.resources.lists import DynamoResourceLists
from instant.domain.limits import MAX_MEDIA_BODY_BYTES
from instant.entrypoints.executions.wiring import execute_deps
from instant.entrypoints.http.app import api
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.lambda_stream import streaming_handler_of
from instant.entrypoints.http.links import api_address
from instant.entrypoints.http.stream import Stream, streamed
from instant.entrypoints.openai.calls import HttpCall
from instant.entrypoints.openai.chat import complete_chat
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.documented import CHAT, EMBEDDINGS, RESPONSES
from instant.entrypoints.openai.embeddings import EmbeddingsBody, embed
from instant.entrypoints.openai.errors import openai_response
from instant.entrypoints.openai.models import ModelList, ModelRow, model_list, model_row, named_in_path
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.create import create_response
from instant.settings import OpenaiSettings
from instant.use_cases.executions.streams.join import JoinDeps
from instant.use_cases.resources.executable import MAX_EXECUTABLE, list_executable, read_executable

settings = OpenaiSettings.load()
deps = execute_deps(settings, SystemClock())
pointers = DynamoRetryPointers(settings.limits_table)
lists = DynamoResourceLists(settings.resources_table)
models = DynamoModelLookup(settings.models_table)
app = api(openai_response)


@app.post("/v1/chat/completions", responses=CHAT)
@streamed
def chat(body: ChatBody) -> Stream | Response[str]:
    """Complete a chat with a resource; with `stream: true`, in chunks."""
    return complete_chat(body, call(), JoinDeps(execute=deps, pointers=pointers))


@app.post("/v1/responses", responses=RESPONSES)
@streamed
def responses(body: ResponsesBody) -> Stream | Response[str]:
    """Create a response with a resource; with `stream: true`, as typed events. Nothing is kept between requests."""
    return create_response(body, call(), JoinDeps(execute=deps, pointers=pointers))


@app.post("/v1/embeddings", responses=EMBEDDINGS)
def embeddings(body: EmbeddingsBody) -> Response[str]:
    """Embed texts with a resource."""
    return embed(body, call(), JoinDeps(execute=deps, pointers=pointers))


@app.get("/v1/models")
def index(offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1)] = MAX_EXECUTABLE) -> ModelList:
    """List the resources that the caller can execute, as models: its own, then the public ones that are called most."""
    found = list_executable(caller_of(app), lists, models)
    return model_list(found, offset, limit, api_address(app, settings.public_url))


@app.get("/v1/models/<model>")
def show(model: str) -> ModelRow:
    """Get one resource as a model, by its id or by `handle%2Fslug`."""
    return one(model)


@app.get("/v1/models/<model>/<slug>")
def show_address(model: str, slug: str) -> ModelRow:
    """Get one resource as a model, by `handle/slug`."""
    return one(model, slug)


def one(*parts: str) -> ModelRow:
    """The resource that the path names."""
    found = read_executable(caller_of(app), deps.resources, models, **named_in_path(*parts))
    return model_row(found, api_address(app, settings.public_url))


def call() -> HttpCall:
    """The current request."""
    return HttpCall.of(app, deps.clock, settings.public_url)


handler = streaming_handler_of(app, settings, max_body_bytes=MAX_MEDIA_BODY_BYTES, render=openai_response)
