"""The content of a call: the messages after the owner's system prompt, as they are sent, and what is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instant.domain.media import Media


@dataclass(frozen=True, slots=True)
class Content:
    """`messages` in OpenRouter's form, the media in them, and all their other text, for the maximum cost."""

    messages: Sequence[Mapping[str, Any]]
    texts: Sequence[str]
    media: Sequence[Media] = ()

    @property
    def text_bytes(self) -> int:
        """The size of all texts in UTF-8."""
        return sum(len(text.encode()) for text in self.texts)


def user_content(text: str, media: Sequence[Media] = ()) -> Content:
    """One user message: the text, then the media."""
    parts = [{"type": "text", "text": text}, *map(media_part, media)]
    return Content([{"role": "user", "content": parts if media else text}], [text], media)


def media_part(media: Media, *, name: str | None = None, detail: str | None = None) -> dict[str, Any]:
    """A part of a message; `name` is that of a file, `detail` that of an image."""
    match media.kind:
        case "image":
            return {"type": "image_url", "image_url": {"url": media.url, **({"detail": detail} if detail else {})}}
        case "file":
            return {"type": "file", "file": {"filename": name or "document.pdf", "file_data": media.url}}
        case "audio":
            return {"type": "input_audio", "input_audio": {"data": media.data, "format": media.format}}
