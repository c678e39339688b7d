"""POST /v1/responses: the request body, field by field over OpenAI's schema."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from instant.entrypoints.http.fields import Body, JsonObject
from instant.entrypoints.openai.chat_body import Model, TextOrObject
from instant.entrypoints.openai.parameters import Ignored, Refused

type TextOrItems = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]})
]

_OWNERS = Refused("the owner of the resource sets it")
_STATELESS = Refused("nothing is kept between requests: send the conversation as input")
_WITHOUT_EFFECT = Ignored()


class TextSettings(Body):
    """The form of the text of the answer."""

    format: JsonObject | None = Field(None, description="Of the type text, json_object or json_schema.")
    verbosity: str | None = None


class ResponsesBody(Body):
    """A request for a response. Fields without a description have the meaning that they have in OpenAI's API."""

    model: Model = Field(description="A resource: handle/slug, or its id.")
    input: TextOrItems | None = Field(
        None, description="The conversation: a text, or items of the types message, reasoning, function_call and more."
    )
    instructions: str | None = Field(None, description="The first message of the system.")
    inputs: JsonObject | None = Field(
        None, description="The inputs of a template with more than one input; then `input` must be absent."
    )
    stream: bool | None = Field(None, description="Send the answer as typed server-sent events.")
    max_output_tokens: int | None = Field(None, description="A larger one is lowered to the owner's.")
    temperature: float | None = None
    top_p: float | None = None
    text: TextSettings | None = None
    reasoning: JsonObject | None = Field(None, description="effort, summary, and OpenRouter's max_tokens.")
    tools: list[JsonObject] | None = Field(None, description="Functions only.")
    tool_choice: TextOrObject | None = Field(None, description="auto, none, required, or one function.")
    parallel_tool_calls: bool | None = None

    store: Annotated[Any, Ignored((False,), "responses cannot be read again by their ids")] = None
    background: Annotated[Any, Ignored((False,), "send a stream, or wait for the response")] = None
    truncation: Annotated[Any, Ignored(("disabled",), "leave out items of the input yourself")] = None
    service_tier: Annotated[Any, Ignored(("auto", "default"), "the owner's settings choose the provider")] = None
    include: Annotated[Any, Ignored(([], ["reasoning.encrypted_content"]), "nothing else can be included")] = None
    stream_options: Annotated[Any, _WITHOUT_EFFECT] = None
    metadata: Annotated[Any, _WITHOUT_EFFECT] = None
    user: Annotated[Any, _WITHOUT_EFFECT] = None
    safety_identifier: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_key: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_options: Annotated[Any, _WITHOUT_EFFECT] = None
    prompt_cache_retention: Annotated[Any, _WITHOUT_EFFECT] = None
    session_id: Annotated[Any, _WITHOUT_EFFECT] = None
    trace: Annotated[Any, _WITHOUT_EFFECT] = None

    previous_response_id: Annotated[None, _STATELESS] = None
    conversation: Annotated[None, _STATELESS] = None
    context_management: Annotated[None, _STATELESS] = None
    background_options: Annotated[None, Refused("send a stream, or wait for the response")] = None
    prompt: Annotated[None, Refused("create a resource of the type prompt_template")] = None
    max_tool_calls: Annotated[None, Refused("it limits built-in tools, which are not available")] = None
    top_logprobs: Annotated[None, Refused("log probabilities are not returned")] = None
    moderation: Annotated[None, Refused("moderation results are not returned")] = None
    access_programs: Annotated[None, Refused("the key of the caller decides what it can access")] = None
    image: Annotated[None, Refused("images are sent as they are")] = None
    models: Annotated[None, _OWNERS] = None
    provider: Annotated[None, _OWNERS] = None
    plugins: Annotated[None, _OWNERS] = None
    modalities: Annotated[None, _OWNERS] = None
    image_config: Annotated[None, _OWNERS] = None
