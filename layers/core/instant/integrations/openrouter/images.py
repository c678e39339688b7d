"""Finds the images of an assistant message, wherever models put them and however they spell them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.data_url import LETTERS_IN_TEXT, head_in_text, is_data_url
from instant.domain.json_values import strings_in
from instant.domain.media_types import IMAGE_IN_BASE64
from instant.integrations.openrouter.parsing import mapping, sequence, text

_PLACES = ("image_url", "imageUrl", "url", "image", "source", "inline_data", "inlineData")
"""The fields of a part that hold the URL of an image, or an object with one."""

_DATA = ("b64_json", "base64", "data", "result")
"""The fields of a part that hold the base64 of an image."""

# all quantifiers are bounded or possessive: a hostile text must not take quadratic time
_BASE64 = re.compile(rf"\s*+{IMAGE_IN_BASE64}[A-Za-z0-9+/_\s-]{{40,}}+={{0,2}}+\s*+")

_HEAD = head_in_text("image")
_IN_MARKDOWN = rf"(?<=\]\(){_HEAD}[A-Za-z0-9+/_%=\s-]+"
_ANYWHERE = _HEAD + LETTERS_IN_TEXT
_BARE = rf"(?<![A-Za-z0-9+/_-]){IMAGE_IN_BASE64}[A-Za-z0-9+/_-]{{80,}}+={{0,2}}+"
_MARKDOWN_IMAGE = re.compile(_IN_MARKDOWN, re.IGNORECASE)
_DATA_URL = re.compile(f"{_IN_MARKDOWN}|{_ANYWHERE}", re.IGNORECASE)
_IN_TEXT = re.compile(f"(?i:{_IN_MARKDOWN}|{_ANYWHERE})|{_BARE}")
_CODE = re.compile(r"(`{3,9}|~{3,9}).*?(?:\1|\Z)|`[^`\n]*`", re.DOTALL)


def image_parts(message: Mapping[str, Any]) -> Iterator[str]:
    """The images beside the text and among the parts of the content: data URLs, base64 or links, as received."""
    for part in (*_listed(message.get("images")), message.get("image"), *_listed(message.get("content"), dict)):
        if found := _image(part):
            yield found


def images_in_texts(value: object) -> Iterator[str]:
    """The data URLs and the base64 of images in every text in `value`."""
    for each in strings_in(value):
        if _BASE64.fullmatch(each):
            yield each
        else:
            yield from (url.rstrip() for url in _IN_TEXT.findall(each))


def shown_images(content: str) -> Iterator[str]:
    """The data URLs that a text shows as images: Markdown images outside code, or the whole text."""
    if _BASE64.fullmatch(content) or _DATA_URL.fullmatch(content.strip()):
        yield content.strip()
    else:
        yield from (url.rstrip() for url in _MARKDOWN_IMAGE.findall(_CODE.sub("", content)))


def _listed(value: object, kind: type = object) -> list[Any]:
    return [item for item in (sequence(value) or [value]) if isinstance(item, kind)]


def _image(part: object, levels: int = 4) -> str | None:
    """The image in one part, at most so many objects deep; parts of text have none of these fields."""
    if isinstance(part, str):
        is_url = is_data_url(part) or part.lower().startswith(("https:", "http:"))
        return part if is_url or _BASE64.fullmatch(part) else None
    fields = mapping(part) if levels else {}
    inside = (_image(fields.get(name), levels - 1) for name in (*_PLACES, *_DATA) if name in fields)
    return text(fields.get("b64_json")) or next(filter(None, inside), None)
