"""`openrouter_instant`: a prompt or a conversation to one model with the owner's settings."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field, SkipValidation, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict

from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_IMAGES, MAX_MESSAGES, MAX_TEXT_BYTES
from instant.domain.media import read_media
from instant.domain.validation import parse
from instant.resource_types.chat import ChatType
from instant.resource_types.chat_plan import check_settings, plan_chat
from instant.resource_types.messages.content import Content, user_content
from instant.resource_types.messages.reading import read_messages
from instant.resource_types.messages.turns import Turn
from instant.resource_types.model_settings import FITTING, ModelSettings, Strict
from instant.resource_types.resource_type import Call

_NULL: JsonDict = {"type": "null"}
_ONE_OF: JsonDict = {
    "oneOf": [
        {"required": ["prompt"], "properties": {"messages": _NULL}},
        {"required": ["messages"], "properties": {"messages": {"type": "array"}, "prompt": False, "images": _NULL}},
    ]
}


_PROMPT = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_BYTES, "pattern": r"\S"}
"""The prompt as clients make forms of it: it is never null where it is used."""


def _without_default(schema: JsonDict) -> None:
    del schema["default"]


class InstantSettings(ModelSettings):
    """A model's settings, and whether callers can instruct it."""

    allow_system_messages: bool | None = Field(
        None,
        description="Whether callers can send system and developer messages, which follow system_prompt; default: "
        "yes without a system_prompt.",
    )

    @property
    def allows_system(self) -> bool:
        """Whether callers can send messages of the system."""
        return not self.system_prompt if self.allow_system_messages is None else self.allow_system_messages


class Inputs(Strict):
    """The inputs: a prompt with images, or the messages of a conversation."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF)

    prompt: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_BYTES, pattern=r"\S"), FITTING] | None,
        WithJsonSchema(_PROMPT),
    ] = Field(None, description="The prompt for the model.", json_schema_extra=_without_default)
    images: list[str] | None = Field(
        None, max_length=MAX_IMAGES, description="https links or base64 data URLs, for models with image input."
    )
    messages: list[SkipValidation[Turn]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_MESSAGES,
        description="A conversation, instead of a prompt, in the form of OpenAI's and OpenRouter's clients.",
    )


class OpenRouterInstant(ChatType):
    """A model on OpenRouter with its settings; callers send a prompt or the messages of a conversation."""

    name = "openrouter_instant"
    description = "One prompt, or a conversation, to one OpenRouter model."
    Config = InstantSettings

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same for every resource of this type."""
        return Inputs.model_json_schema()

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Reject settings that a model would silently ignore."""
        check_settings(InstantSettings.model_validate(config), models)

    def plan(self, call: Call) -> Plan:
        """The prompt and its images as the user's message, or the messages of the conversation."""
        settings = InstantSettings.model_validate(call.config)
        return plan_chat(settings, _content(parse(Inputs, call.inputs, "inputs"), settings), call)


def _content(inputs: Inputs, settings: InstantSettings) -> Content:
    if inputs.messages is not None:
        for name in ("prompt", "images"):
            if getattr(inputs, name) is not None:
                raise InvalidField.named(f"inputs.{name}", "cannot be used together with messages; add it to them")
        return read_messages(inputs.messages, "inputs.messages", allows_system=settings.allows_system)
    if inputs.prompt is None:
        raise InvalidField.named("inputs.prompt", "is required, or else messages")
    images = [read_media("image", url, f"inputs.images.{number}") for number, url in enumerate(inputs.images or ())]
    return user_content(inputs.prompt, images)
