"""The maximum usage of the media in a call: tokens, images, and pages that are read for a charge."""

from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass

from instant.domain.catalog.pricing import IMAGE_TOKENS
from instant.domain.files.audio import audio_seconds
from instant.domain.files.pdf import PdfBound, pdf_bound
from instant.domain.media import Media

AUDIO_TOKENS = 50
"""Maximum tokens per second of audio: encoders of speech make up to 50, the models here up to 32."""

MAX_PDF_PAGES = 1_000
"""Maximum pages of one file for which OpenRouter charges."""

PDF_PAGE_BYTES = 10
"""Minimum size of a page in a file without a bound: its size divided by it is the maximum number of pages."""

FILE_TOKENS = 1_000
"""Tokens that a reader can add for each file, such as its name and its properties."""


@dataclass(frozen=True, slots=True)
class MediaUsage:
    """`tokens` is None if nothing but the model's context limits them; pages of files can be read as images.

    `ocr_pages` are the most pages that can be charged, `known_pages` those that the files have; None if one hides them.
    """

    tokens: int | None
    images: int
    ocr_pages: int
    known_pages: int | None = 0


def media_usage(media: Sequence[Media], engine: str | None) -> MediaUsage:
    """The maximum usage; `engine` reads the files."""
    bounds = [_pdf(each) for each in media if each.kind == "file"]
    pages = sum(_pages(each, bound) for each, bound in bounds)
    images = sum(each.kind == "image" for each in media)
    images += sum(bound.pages for _, bound in bounds if bound) if engine == "native" else 0
    tokens = [_text_tokens(bound, engine) for _, bound in bounds]
    tokens += [_audio_tokens(each) for each in media if each.kind == "audio"]
    known = [each for each in tokens if each is not None]
    total = sum(known) + images * IMAGE_TOKENS if len(known) == len(tokens) else None
    if engine != "mistral-ocr":
        return MediaUsage(total, images, 0)
    counts = [bound.page_objects if bound else 0 for _, bound in bounds]
    return MediaUsage(total, images, pages, known_pages=sum(counts) if all(counts) else None)


def _pdf(media: Media) -> tuple[Media, PdfBound | None]:
    return media, pdf_bound(a2b_base64(media.data or ""))


def _pages(media: Media, bound: PdfBound | None) -> int:
    return min(MAX_PDF_PAGES, bound.pages if bound else media.size_bytes // PDF_PAGE_BYTES + 1)


def _text_tokens(bound: PdfBound | None, engine: str | None) -> int | None:
    """Each byte of text counts as one token. OCR reads text in images, whose length no file states."""
    return None if bound is None or engine == "mistral-ocr" else bound.text_bytes + FILE_TOKENS


def _audio_tokens(media: Media) -> int | None:
    seconds = audio_seconds(a2b_base64(media.data or ""))
    return None if seconds is None else seconds * AUDIO_TOKENS
