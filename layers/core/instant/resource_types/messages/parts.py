"""Reads the content of a message: text, or parts of text, images, files and audio."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instant.domain.data_url import is_data_url
from instant.domain.errors import InvalidField
from instant.domain.media import Media, read_media
from instant.domain.validation import parse
from instant.resource_types.messages.content import media_part
from instant.resource_types.messages.turns import (
    AssistantImage,
    AudioPart,
    FilePart,
    ImagePart,
    ImageUrl,
    Part,
    TextPart,
)

_PARTS: dict[str, type[TextPart | ImagePart | FilePart | AudioPart]] = {
    "text": TextPart,
    "image_url": ImagePart,
    "file": FilePart,
    "input_audio": AudioPart,
}
_AUDIO = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_MAX_SCHEME = 20


@dataclass(frozen=True, slots=True)
class ReadParts:
    """The content as it is sent, its texts, and its media."""

    sent: Any
    texts: Sequence[str] = ()
    media: Sequence[Media] = ()

    @property
    def has_text(self) -> bool:
        """Whether it has text that is not blank."""
        return any(text.strip() for text in self.texts)


def read_parts(content: Any, where: str, kinds: Sequence[str]) -> ReadParts:
    """Read the content of one message, in which parts of these `kinds` are allowed."""
    if isinstance(content, str):
        return ReadParts(content, [content])
    if not isinstance(content, list) or not content:
        raise InvalidField.named(where, f"must be text, or a list of parts of type {', '.join(kinds)}")
    read = [_read(_part(each, f"{where}.{number}", kinds), f"{where}.{number}") for number, each in enumerate(content)]
    return ReadParts(
        [part for part, _ in read],
        [str(part["text"]) for part, media in read if media is None],
        [media for _, media in read if media is not None],
    )


def read_image(image: ImagePart | AssistantImage, where: str) -> tuple[dict[str, Any], Media]:
    """The image as it is sent, and its media; clients write a link as text, too."""
    place = f"{where}.image_url"
    if isinstance(image.image_url, str):
        media = read_media("image", image.image_url, place)
        return media_part(media), media
    if not isinstance(image.image_url, dict):
        raise InvalidField.named(place, "must be an object with url")
    link = parse(ImageUrl, image.image_url, place)
    media = read_media("image", link.url, f"{place}.url")
    return media_part(media, detail=link.detail), media


def _part(part: Any, where: str, kinds: Sequence[str]) -> Part:
    if not isinstance(part, dict):
        raise InvalidField.named(where, "must be an object with type")
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        instead = "; video is not supported" if isinstance(kind, str) and "video" in kind else ""
        raise InvalidField.named(f"{where}.type", f"must be one of: {', '.join(kinds)}{instead}")
    return parse(_PARTS[kind], part, where)


def _read(part: Part, where: str) -> tuple[dict[str, Any], Media | None]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}, None
        case ImagePart():
            return read_image(part, where)
        case FilePart():
            media = read_media("file", _data_url(part.file.file_data, ""), f"{where}.file.file_data")
            return media_part(media, name=part.file.filename), media
        case AudioPart():
            audio = part.input_audio
            data = _data_url(audio.data, _AUDIO.get(audio.format or "", ""))
            media = read_media("audio", data, f"{where}.input_audio.data")
            return media_part(media), media


def _data_url(data: str, media_type: str) -> str:
    """Plain base64 as a data URL; without a type, the first bytes of the data decide."""
    is_address = is_data_url(data) or "://" in data[:_MAX_SCHEME]
    return data if is_address else f"data:{media_type};base64,{data}"
