"""Parts of the content of an item, as parts of a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from instant.domain.errors import InvalidField
from instant.domain.validation import parse
from instant.entrypoints.openai.responses.item_shapes import (
    PART_SHAPES,
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    RefusalPart,
    TextPart,
)

GIVEN = ("input_text", "input_image", "input_file", "input_audio")
"""Parts of users, and of results of functions."""

ANSWERED = ("output_text", "input_text", "refusal")
"""Parts of earlier answers; some clients write their texts like those of users."""


def content_of(content: Any, where: str) -> Any:
    """The content of a message: text, or parts."""
    if isinstance(content, str):
        return content
    return [_sent(part, f"{where}.{number}") for number, part in enumerate(parts_of(content, where, GIVEN))]


def output_of(output: Any, where: str) -> Any:
    """The result of a function: texts are joined, other parts remain parts."""
    content = content_of(output, where)
    if isinstance(content, str) or any(part["type"] != "text" for part in content):
        return content
    return "".join(part["text"] for part in content)


def parts_of(content: Any, where: str, kinds: Sequence[str]) -> list[Part]:
    """The parts of a content, each of one of these `kinds`."""
    if not isinstance(content, list):
        raise InvalidField.named(where, f"must be text, or a list of parts of type {', '.join(kinds)}")
    return [_read(part, f"{where}.{number}", kinds) for number, part in enumerate(content)]


def parsed[Shape: BaseModel](value: Any, where: str, shapes: Mapping[str, type[Shape]], kind: object) -> Shape:
    """Validate an object with a type; `kind` is the type that it has."""
    if not isinstance(value, dict):
        raise InvalidField.named(where, "must be an object with type")
    if not isinstance(kind, str) or kind not in shapes:
        raise InvalidField.named(f"{where}.type", f"must be one of: {', '.join(shapes)}")
    return parse(shapes[kind], value, where)


def _read(part: Any, where: str, kinds: Sequence[str]) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    return parsed(part, where, {name: PART_SHAPES[name] for name in kinds}, kind)


def _sent(part: Part, where: str) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case RefusalPart():
            return {"type": "text", "text": part.refusal}
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": part.image_url, "detail": part.detail}}
        case FilePart():
            return {"type": "file", "file": {"file_data": _file(part, where), "filename": part.filename}}
        case AudioPart():
            return {"type": "input_audio", "input_audio": part.input_audio}


def _file(part: FilePart, where: str) -> str:
    """The data, or the link, which the resource refuses by name."""
    if part.file_data is not None and part.file_url is not None:
        raise InvalidField.named(f"{where}.file_url", "is not allowed beside file_data")
    data = part.file_url if part.file_data is None else part.file_data
    if data is None:
        raise InvalidField.named(f"{where}.file_data", "is required")
    return data
