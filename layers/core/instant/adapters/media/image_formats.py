"""Remove metadata from image files: only the parts that are needed to render the image are kept.

Removed are text, EXIF, colour profiles, thumbnails, provenance records, the frames of an animated PNG after its
still image, parts that are longer than their content or have values of no known use, and all data after the end. The
image data is copied byte for byte: this is lossless, and takes a fraction of the time of re-encoding. A truncated file
raises `ValueError`; for an unusual one the result is None, and it must be re-encoded.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from instant.adapters.media.jpeg_segments import is_exact, quantization_ids
from instant.adapters.media.png_chunks import ImageData, PngChunks, checked, chunk_of

MAX_PIXELS = 40_000_000
"""Maximum number of pixels that are decoded, at 4 bytes per pixel; models generate up to 4096 x 4096."""

MAX_PIECES = 50_000
"""Maximum number of chunks or segments: real files have a few thousand, and millions of empty ones waste time."""

_VP8X_BYTES = 10
_WEBP = {b"VP8 ", b"VP8L", b"ALPH"}
_WEBP_ALPHA, _WEBP_MOVES = 0x10, 0x02
_JPEG = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD} - {0xC8}
_JPEG_TABLES, _JPEG_SCAN, _JPEG_END, _JPEG_FILL = 0xDB, 0xDA, 0xD9, 0xFF
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_NOTES = {(0xE0, 16, b"JFIF\0"), (0xEE, 14, b"Adobe")}
"""Application segments that affect rendering: their marker, exact length, and first bytes."""
_JPEG_SIZES = {_JPEG_END: 0, _JPEG_FILL: -1}
"""Markers without a length field; a fill byte is half a marker."""

type Piece = tuple[int, int, bool]
"""The start and end of a part, and whether it is needed for rendering."""


def bare_png(data: bytes) -> bytes:
    """The file with only its image chunks."""
    return b"".join([data[:8], *_png_parts(data)])


def bare_jpeg(data: bytes) -> bytes | None:
    """The file with only its image segments; of several images, the first. None if a segment has surplus data."""
    segments = list(_limited(_jpeg_segments(data)))
    if not _are_exact(data, segments):
        return None
    return b"".join([data[:2], *_painting(data, segments)])


def bare_webp(data: bytes) -> bytes | None:
    """The file with only its image chunks; None for an animation, which has no still image, or an unusual canvas."""
    canvas = data[12:30] if data[12:16] == b"VP8X" else b""
    if canvas and (_unpacked("<I", canvas, 4)[0] != _VP8X_BYTES or canvas[8] & _WEBP_MOVES):
        return None
    if canvas:
        canvas = canvas[:8] + bytes([canvas[8] & _WEBP_ALPHA, 0, 0, 0]) + canvas[12:]
    body = b"".join([b"WEBP", canvas, *_painting(data, _webp_chunks(data))])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _painting(data: bytes, pieces: Iterable[Piece]) -> Iterator[memoryview]:
    for start, end, paints in _limited(pieces):
        if end > len(data):
            raise ValueError("cut off")
        if paints:
            yield memoryview(data)[start:end]


def _limited[Part](pieces: Iterable[Part]) -> Iterator[Part]:
    for count, piece in enumerate(pieces):
        if count > MAX_PIECES:
            raise ValueError("too many parts")
        yield piece


def _png_parts(data: bytes) -> Iterator[bytes | memoryview]:
    """The header, then the chunks that render the image: each once, except for the image data."""
    view, chunks = memoryview(data), _limited(_png_chunks(data))
    _, start, end = next(chunks)
    rule = PngChunks.after(data[start + 8 : end - 4], MAX_PIXELS)
    stream, seen = ImageData(rule.max_bytes), set()
    yield view[start:end]
    for kind, start, end in chunks:
        body = view[start + 8 : end - 4]
        if kind == b"IDAT":
            size = stream.size(body)
            whole = size == len(body)
            yield view[start:end] if whole else chunk_of(kind, checked(kind, body, view[end - 4 : end])[:size])
        elif kind == b"IEND":
            yield chunk_of(kind, view[:0])
        elif kind not in seen and rule.renders(kind, bytes(body)):
            seen.add(kind)
            yield view[start:end]


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at, kind = 8, b""
    while kind != b"IEND":
        size, kind = _unpacked(">I4s", data, at)
        if (at == 8) != (kind == b"IHDR") or at + 12 + size > len(data):
            raise ValueError("cut off, or without a header")
        yield kind, at, at + 12 + size
        at += 12 + size


def _webp_chunks(data: bytes) -> Iterator[Piece]:
    at, end = 12, 8 + _unpacked("<I", data, 4)[0]
    wanted = set(_WEBP)
    while at < end:
        kind, size = _unpacked("<4sI", data, at)
        size += size % 2
        yield at, at + 8 + size, kind in wanted
        wanted.discard(kind)
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


def _are_exact(data: bytes, segments: Iterable[Piece]) -> bool:
    """Whether no segment has more data than its content, and notes and quantization tables occur once."""
    once: list[int] = []
    for start, end, _ in filter(itemgetter(2), segments):
        marker = data[start + 1]
        if marker not in _JPEG:
            once += [-marker] if marker != _JPEG_END else []
            continue
        body = data[start + 4 : start + 2 + _unpacked(">H", data, start + 2)[0]]
        if end > len(data) or not is_exact(marker, body):
            return False
        once += quantization_ids(body) if marker == _JPEG_TABLES else []
    return len(once) == len(set(once))


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
