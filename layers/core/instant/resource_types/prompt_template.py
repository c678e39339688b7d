"""`prompt_template`: the owner's text with placeholders, filled with the caller's typed inputs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from instant.domain.catalog.model import CatalogModel
from instant.domain.error_bodies.fields import redacted_field
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_IMAGES, MAX_TEXT_BYTES
from instant.domain.media import read_media
from instant.domain.resources.template import BRACES, names_in, render, rendered_bytes
from instant.resource_types.chat import ChatType
from instant.resource_types.chat_plan import check_settings, plan_chat
from instant.resource_types.input_schema import (
    DRAFT,
    MEDIA_FORMATS,
    check_inputs,
    check_schema,
    closed,
    defaults_of,
    media_kind,
)
from instant.resource_types.messages.content import user_content
from instant.resource_types.messages.last_user import last_user_text
from instant.resource_types.model_settings import FITTING, ModelSettings
from instant.resource_types.resource_type import Call


class TemplateSettings(ModelSettings):
    """A model's settings, a template, and the schema of its inputs."""

    template: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_BYTES, pattern=r"\S"), FITTING] = (
        Field(
            description='The prompt, with {{name}} for each input, and {{"{{"}} for braces in the text. It is sent to '
            "the model as the user message."
        )
    )
    input_schema: dict[str, Any] = Field(
        description="JSON Schema 2020-12 of the inputs: an object whose properties are strings, numbers, booleans, "
        "enums or JSON; a string with format image, file or audio holds media."
    )


class PromptTemplate(ChatType):
    """A template on an OpenRouter model; callers send its inputs."""

    name = "prompt_template"
    description = "A prompt with typed inputs to one OpenRouter model."
    Config = TemplateSettings

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The owner's schema, closed; without `config`, any object."""
        return closed(config["input_schema"]) if config else {"$schema": DRAFT, "type": "object"}

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Reject placeholders without an input, placeholders for media, and unsupported schema keywords."""
        settings = TemplateSettings.model_validate(config)
        check_schema(settings.input_schema)
        if (
            sum(media_kind(settings.input_schema, name) is not None for name in settings.input_schema["properties"])
            > MAX_IMAGES
        ):
            raise InvalidField.named("config.input_schema.properties", f"can have at most {MAX_IMAGES} media inputs")
        _check_placeholders(settings)
        check_settings(settings, models)

    def plan(self, call: Call) -> Plan:
        """The rendered template as the user's message, followed by the media."""
        settings = TemplateSettings.model_validate(call.config)
        schema, inputs = settings.input_schema, _inputs_of(call)
        check_inputs(schema, inputs)
        values = {**defaults_of(schema), **inputs}
        media = [
            read_media(kind, value, f"inputs.{name}")
            for name, value in values.items()
            if (kind := media_kind(schema, name)) and value is not None
        ]
        if rendered_bytes(settings.template, values) > MAX_TEXT_BYTES:
            raise InvalidField.named("inputs", f"make a prompt of more than {MAX_TEXT_BYTES} bytes in UTF-8")
        return plan_chat(settings, user_content(render(settings.template, values), media), call)


def _inputs_of(call: Call) -> Mapping[str, Any]:
    """The inputs; clients of OpenAI send a conversation, whose last user message is the one text that is required."""
    properties = call.config["input_schema"]["properties"]
    if not call.compatible or call.inputs.keys() != {"messages"} or "messages" in properties:
        return call.inputs
    name = last_user_text_input(call.config)
    if name is None:
        problem = "must be sent in the body instead of messages: this template takes other inputs than one text"
        raise InvalidField.named("inputs", problem)
    return {name: last_user_text(call.inputs["messages"], "inputs.messages")}


def last_user_text_input(config: Mapping[str, Any]) -> str | None:
    """The one required text input of a template, for the last user message of a conversation; None if it has not one.

    An input with a list of values, or with media, is not text.
    """
    schema = config["input_schema"]
    texts = [name for name in dict.fromkeys(schema.get("required", ())) if _is_text(schema["properties"].get(name))]
    return texts[0] if len(texts) == 1 else None


def _is_text(part: object) -> bool:
    if not isinstance(part, Mapping) or part.get("type") != "string" or part.get("format") in MEDIA_FORMATS:
        return False
    return part.keys().isdisjoint({"enum", "const"})


def _check_placeholders(settings: TemplateSettings) -> None:
    """Reject placeholders without an input, and those of media, which are sent after the text."""
    for name in names_in(settings.template):
        shown = redacted_field(name)
        if name not in settings.input_schema["properties"]:
            problem = f"contains {shown}, which is not in input_schema; add it there, or write {BRACES} for braces"
            raise InvalidField.named("config.template", problem)
        if media_kind(settings.input_schema, name):
            problem = f"contains {shown}, which is a media input; leave it out, since media follow the text"
            raise InvalidField.named("config.template", problem)
