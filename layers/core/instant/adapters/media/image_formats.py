"""Remove metadata from image files: only the parts that are needed to render the image are kept.

Removed are text, EXIF, colour profiles, thumbnails, provenance records, the frames of an animated PNG after its
still image, and all data after the end. The image data is copied byte for byte: this is lossless, and takes a
hundredth of the time of re-encoding. A truncated file raises `ValueError`.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any

MAX_PIECES = 50_000
"""Maximum number of chunks or segments: real files have a few thousand, and millions of empty ones waste time."""

_PNG = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"IDAT", b"IEND"}
_WEBP = {b"VP8 ", b"VP8L", b"ALPH"}
_WEBP_ALPHA, _WEBP_MOVES = 0x10, 0x02
_JPEG = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD} - {0xC8}
_JPEG_SCAN, _JPEG_END, _JPEG_FILL = 0xDA, 0xD9, 0xFF
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_NOTES = {(0xE0, 16, b"JFIF\0"), (0xEE, 14, b"Adobe")}
"""Application segments that affect rendering: their marker, exact length, and first bytes."""
_JPEG_SIZES = {_JPEG_END: 0, _JPEG_FILL: -1}
"""Markers without a length field; a fill byte is half a marker."""

type Piece = tuple[int, int, bool]
"""The start and end of a part, and whether it is needed for rendering."""


def bare_png(data: bytes) -> bytes:
    """The file with only its image chunks."""
    return b"".join([data[:8], *_painting(data, _png_chunks(data))])


def bare_jpeg(data: bytes) -> bytes:
    """The file with only its image segments; of several images, the first."""
    return b"".join([data[:2], *_painting(data, _jpeg_segments(data))])


def bare_webp(data: bytes) -> bytes | None:
    """The file with only its image chunks; None for an animation, which has no still image."""
    canvas = data[12:30] if data[12:16] == b"VP8X" else b""
    if canvas[8:] and canvas[8] & _WEBP_MOVES:
        return None
    if canvas[8:]:
        canvas = canvas[:8] + bytes([canvas[8] & _WEBP_ALPHA]) + canvas[9:]
    body = b"".join([b"WEBP", canvas, *_painting(data, _webp_chunks(data))])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _painting(data: bytes, pieces: Iterable[Piece]) -> Iterator[memoryview]:
    for count, (start, end, paints) in enumerate(pieces):
        if end > len(data) or count > MAX_PIECES:
            raise ValueError("truncated, or too many parts")
        if paints:
            yield memoryview(data)[start:end]


def _png_chunks(data: bytes) -> Iterator[Piece]:
    at, kind = 8, b""
    while kind != b"IEND":
        size, kind = _unpacked(">I4s", data, at)
        yield at, at + 12 + size, kind in _PNG
        at += 12 + size


def _webp_chunks(data: bytes) -> Iterator[Piece]:
    at, end = 12, 8 + _unpacked("<I", data, 4)[0]
    while at < end:
        kind, size = _unpacked("<4sI", data, at)
        size += size % 2
        yield at, at + 8 + size, kind in _WEBP
        at += 8 + size


def _jpeg_segments(data: bytes) -> Iterator[Piece]:
    at, marker = 2, 0
    while marker != _JPEG_END:
        lead, marker = _unpacked(">BB", data, at)
        if lead != 0xFF:
            raise ValueError("not a marker")
        size = _JPEG_SIZES[marker] if marker in _JPEG_SIZES else _unpacked(">H", data, at + 2)[0]
        end = _end_of_scan(data, at + 2 + size) if marker == _JPEG_SCAN else at + 2 + size
        yield at, end, marker in {*_JPEG, _JPEG_END} or (marker, size, data[at + 4 : at + 9]) in _JPEG_NOTES
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """The position of the next marker after a scan, which has no length field."""
    found = _JPEG_MARKER.search(data, at)
    if found is None:
        raise ValueError("cut off")
    return found.start()


def _unpacked(form: str, data: bytes, at: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise ValueError("cut off") from None
