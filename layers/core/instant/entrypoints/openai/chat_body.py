"""POST /v1/chat/completions: the request body, field by field over OpenAI's schema and OpenRouter's additions to it."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from instant.entrypoints.http.fields import Body, JsonObject
from instant.entrypoints.openai.parameters import Ignored, Refused

_TEXT, _TEXTS, _OBJECT = {"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "object"}

type TextOrList = Annotated[Any, WithJsonSchema({"anyOf": [_TEXT, _TEXTS]})]
type TextOrObject = Annotated[Any, WithJsonSchema({"anyOf": [_TEXT, _OBJECT]})]
"""Checked by the resource type, so that an error names the field and not one of its alternatives."""

type Model = Annotated[str, StringConstraints(min_length=1, max_length=300)]

_OWNERS = Refused("the owner of the resource sets it")
_WITHOUT_EFFECT = Ignored()


class StreamOptions(Body):
    """Options of a stream; others than `include_usage` have no effect."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool | None = Field(None, description="Send the usage in a last chunk with empty choices.")


class ChatBody(Body):
    """A chat request. Fields without a description have the meaning that they have in OpenAI's API."""

    model: Model = Field(description="A resource: handle/slug, or its id.")
    messages: list[JsonObject] = Field(description="The conversation: inputs.messages of the resource.")
    inputs: JsonObject | None = Field(
        None, description="The inputs of a template with more than one input; then `messages` must be empty."
    )
    stream: bool | None = Field(None, description="Send the answer in chunks, as server-sent events.")
    stream_options: StreamOptions | None = None
    max_completion_tokens: int | None = Field(None, description="A larger one is lowered to the owner's.")
    max_tokens: int | None = Field(None, description="The same as max_completion_tokens, which precedes it.")
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: TextOrList | None = None
    verbosity: str | None = None
    reasoning_effort: str | None = None
    response_format: JsonObject | None = None
    tools: list[JsonObject] | None = Field(None, description="Functions only.")
    tool_choice: TextOrObject | None = None
    parallel_tool_calls: bool | None = None
    reasoning: JsonObject | None = Field(None, description="OpenRouter's: effort, max_tokens, exclude, enabled.")
    top_k: int | None = Field(None, description="OpenRouter's.")
    top_a: float | None = Field(None, description="OpenRouter's.")
    min_p: float | None = Field(None, description="OpenRouter's.")
    repetition_penalty: float | None = Field(None, description="OpenRouter's.")

    n: Annotated[Any, Ignored((1,), "send the request several times")] = None
    store: Annotated[Any, Ignored((False,), "every answer is stored: GET /api/executions")] = None
    service_tier: Annotated[Any, Ignored(("auto", "default"), "the owner's settings choose the provider")] = None
    modalities: Annotated[
        Any, Ignored((["text"], ["text", "image"], ["image", "text"]), "audio output is not supported")
    ] = None
    logprobs: Annotated[Any, Ignored((False,), "log probabilities are not returned")] = None
    logit_bias: Annotated[Any, Ignored(({},), "a bias would depend on the tokens of one model")] = None
    usage: Annotated[Any, _WITHOUT_EFFECT] = None
    user: Annotated[Any, _WITHOUT_EFFECT] = None
    metadata: Annotated[Any, _WITHOUT_EFFECT] = None
    safety_identifier: Annotated[Any, _WITHOUT_EFFECT] = None
    session_id: Annotated[Any, _WITHOUT_EFFECT] = None
    trace: Annotated[Any, _WITHOUT_EFFECT] = None
    prediction: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_key: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_options: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_retention: Annotated[Any, _WITHOUT_EFFECT] = None

    functions: Annotated[None, Refused("send tools")] = None
    function_call: Annotated[None, Refused("send tool_choice")] = None
    audio: Annotated[None, Refused("audio output is not available")] = None
    top_logprobs: Annotated[None, Refused("log probabilities are not returned")] = None
    moderation: Annotated[None, Refused("moderation results are not returned")] = None
    web_search_options: Annotated[None, _OWNERS] = None
    models: Annotated[None, _OWNERS] = None
    provider: Annotated[None, _OWNERS] = None
    plugins: Annotated[None, _OWNERS] = None
    transforms: Annotated[None, _OWNERS] = None
    route: Annotated[None, _OWNERS] = None
    image_config: Annotated[None, _OWNERS] = None
    cache_control: Annotated[None, _OWNERS] = None
    debug: Annotated[None, Refused("read GET /api/executions")] = None
