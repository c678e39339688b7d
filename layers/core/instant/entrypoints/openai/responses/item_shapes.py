"""The form of each item of an input, and of each part of its content, as clients of OpenAI write them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from instant.entrypoints.http.fields import Body
from instant.entrypoints.openai.parameters import Ignored, Refused

type Unused = Annotated[Any, Ignored()]
"""Accepted without effect: clients send items back as they received them."""

type FileId = Annotated[None, Refused("files are not stored; send the data itself")]


class TextPart(Body):
    """A text of the user, or of an earlier answer."""

    type: Literal["input_text", "output_text"]
    text: str
    annotations: Unused = None
    logprobs: Unused = None
    parsed: Unused = None
    prompt_cache_breakpoint: Unused = None


class RefusalPart(Body):
    """The refusal of an earlier answer."""

    type: Literal["refusal"]
    refusal: str


class ImagePart(Body):
    """An image: an https link or a data URL."""

    type: Literal["input_image"]
    image_url: str
    detail: str | None = None
    file_id: FileId = None
    prompt_cache_breakpoint: Unused = None


class FilePart(Body):
    """A file as a data URL or base64."""

    type: Literal["input_file"]
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    file_id: FileId = None
    detail: Unused = None
    prompt_cache_breakpoint: Unused = None


class AudioPart(Body):
    """Audio as base64."""

    type: Literal["input_audio"]
    input_audio: dict[str, Any]


class MessageItem(Body):
    """A message of any role; `images` are those of an earlier answer."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: Any
    images: list[Any] | None = None
    id: Unused = None
    status: Unused = None
    phase: Unused = None


class SummaryPart(Body):
    """A text of a summary."""

    type: Literal["summary_text"]
    text: str


class ReasoningItem(Body):
    """The reasoning of an earlier answer; `encrypted_content` is opaque to clients."""

    type: Literal["reasoning"]
    summary: list[dict[str, Any]] = Field(default_factory=list)
    encrypted_content: str | None = None
    content: Unused = None
    id: Unused = None
    status: Unused = None


class FunctionCallItem(Body):
    """A function call of an earlier answer."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: Unused = None
    status: Unused = None
    parsed_arguments: Unused = None
    caller: Annotated[None, Refused("only the model calls functions")] = None
    namespace: Annotated[None, Refused("functions have no namespaces")] = None


class FunctionCallOutputItem(Body):
    """The result of a function call."""

    type: Literal["function_call_output"]
    call_id: str
    output: Any
    id: Unused = None
    status: Unused = None
    name: Unused = None
    caller: Annotated[None, Refused("only the model calls functions")] = None
    namespace: Annotated[None, Refused("functions have no namespaces")] = None


type Item = MessageItem | ReasoningItem | FunctionCallItem | FunctionCallOutputItem
type Part = TextPart | RefusalPart | ImagePart | FilePart | AudioPart

ITEM_SHAPES: dict[str, type[MessageItem | ReasoningItem | FunctionCallItem | FunctionCallOutputItem]] = {
    "message": MessageItem,
    "reasoning": ReasoningItem,
    "function_call": FunctionCallItem,
    "function_call_output": FunctionCallOutputItem,
}
"""The form of an item by its type."""

PART_SHAPES: dict[str, type[TextPart | RefusalPart | ImagePart | FilePart | AudioPart]] = {
    "input_text": TextPart,
    "output_text": TextPart,
    "refusal": RefusalPart,
    "input_image": ImagePart,
    "input_file": FilePart,
    "input_audio": AudioPart,
}
"""The form of a part by its type."""
