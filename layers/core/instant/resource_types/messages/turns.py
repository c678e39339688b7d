"""The form of each message of a conversation, as clients of OpenAI and OpenRouter write it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SkipValidation, StringConstraints, model_validator

from instant.domain.limits import MAX_FILE_NAME_CHARACTERS
from instant.resource_types.model_settings import Strict

type Name = Annotated[str, StringConstraints(max_length=256)]
type CallId = Annotated[str, StringConstraints(min_length=1, max_length=512)]

WITHOUT_EFFECT = "Accepted without effect, since clients send answers back as they received them."


def _null(instead: str) -> BeforeValidator:
    """Only null: clients send fields that they do not use as null."""

    def refuse(value: object) -> object:
        if value is not None:
            raise ValueError(f"is not supported; {instead}")
        return value

    return BeforeValidator(refuse)


class TextPart(Strict):
    """Text."""

    type: Literal["text"]
    text: str


class ImageUrl(Strict):
    """An https link or a base64 data URL of an image."""

    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Strict):
    """An image, for models with image input."""

    type: Literal["image_url"]
    image_url: SkipValidation[ImageUrl | str]


class FileData(Strict):
    """A PDF as a base64 data URL, or as base64."""

    file_data: str
    filename: Annotated[str, StringConstraints(max_length=MAX_FILE_NAME_CHARACTERS)] | None = None
    file_id: Annotated[None, _null("send the file itself as file_data")] = None


class FilePart(Strict):
    """A file."""

    type: Literal["file"]
    file: FileData


class AudioData(Strict):
    """Audio as base64, or as a base64 data URL."""

    data: str
    format: Literal["wav", "mp3"] | None = None


class AudioPart(Strict):
    """Audio, for models with audio input."""

    type: Literal["input_audio"]
    input_audio: AudioData


type Part = Annotated[TextPart | ImagePart | FilePart | AudioPart, Field(discriminator="type")]


class SystemTurn(Strict):
    """Instructions to the model, appended to those of the owner, if the owner allows it."""

    role: Literal["system", "developer"]
    content: SkipValidation[str | list[TextPart]]
    name: Name | None = None


class UserTurn(Strict):
    """What the user says."""

    role: Literal["user"]
    content: SkipValidation[str | list[Part]]
    name: Name | None = None


class CalledFunction(Strict):
    """The function that the model called, with its arguments as JSON text."""

    name: Name
    arguments: str


class ToolCall(Strict):
    """A tool call of the model: `function`, or `name` and `arguments` as in the output of an execution."""

    id: CallId
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = Field(None, description=WITHOUT_EFFECT)

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "function" in value or not {"name", "arguments"} & value.keys():
            return value
        flat = {name: value[name] for name in ("name", "arguments") if name in value}
        return {**{name: each for name, each in value.items() if name not in flat}, "function": flat}


class AssistantImage(Strict):
    """An image of an earlier answer, for models with image input."""

    type: Literal["image_url"] = "image_url"
    image_url: SkipValidation[ImageUrl | str]
    index: int | None = Field(None, description=WITHOUT_EFFECT)


class AssistantTurn(Strict):
    """An earlier answer of the model."""

    role: Literal["assistant"]
    content: SkipValidation[str | list[TextPart] | None] = None
    name: Name | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = Field(
        None, description="As the model returned them: they are sent back unchanged, with their signatures."
    )
    images: list[AssistantImage] | None = None
    annotations: list[Any] | None = Field(None, description=WITHOUT_EFFECT)
    model: str | None = Field(None, description=WITHOUT_EFFECT)
    audio: Annotated[None, _null("send its transcript as content")] = None
    function_call: Annotated[None, _null("use tool_calls")] = None


class ToolTurn(Strict):
    """The result of a tool call of the assistant message before it."""

    role: Literal["tool"]
    tool_call_id: CallId
    content: SkipValidation[str | list[Part]]
    name: Name | None = Field(None, description=WITHOUT_EFFECT)


type Turn = Annotated[SystemTurn | UserTurn | AssistantTurn | ToolTurn, Field(discriminator="role")]

TURNS: dict[str, type[SystemTurn | UserTurn | AssistantTurn | ToolTurn]] = {
    "system": SystemTurn,
    "developer": SystemTurn,
    "user": UserTurn,
    "assistant": AssistantTurn,
    "tool": ToolTurn,
}
"""The form of a message by its role."""
