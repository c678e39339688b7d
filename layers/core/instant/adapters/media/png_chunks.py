"""Which chunks of a PNG render it: each at most once, of its exact length, and with known values."""

import struct
import zlib
from dataclasses import dataclass

_GRAY, _COLOR, _PALETTE, _GRAY_ALPHA, _COLOR_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GRAY: 1, _COLOR: 3, _PALETTE: 3, _GRAY_ALPHA: 2, _COLOR_ALPHA: 4}
"""The number of samples of a pixel, by color type."""

_KEYED_SAMPLES = {_GRAY: 1, _COLOR: 3}
"""The number of samples of the one transparent color, by color type."""

_DEPTHS = {1, 2, 4, 8, 16}
_GAMMAS = {45_455, 50_000, 55_556, 100_000}
_PRIMARIES = {
    (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000),  # sRGB
    (31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000),  # Display P3
}
_DOTS_PER_METER = {2_834, 2_835, 3_779, 3_780, 5_669, 5_906, 11_811}
"""72, 96, 144, 150 and 300 dots per inch, as programs round them."""

_READ_AT_ONCE = 16_384
"""Bytes that are inflated at once: at most to a thousand times as many."""


@dataclass(slots=True)
class PngChunks:
    """Decides chunk by chunk; `palette` is the number of colors in the palette."""

    width: int
    height: int
    depth: int
    color: int
    palette: int = 0

    @classmethod
    def after(cls, header: bytes, max_pixels: int) -> "PngChunks":
        """Begin after an IHDR chunk with this content; raises `ValueError` if it is malformed or too large."""
        if len(header) != 13 or header[8] not in _DEPTHS or header[9] not in _SAMPLES:
            raise ValueError("not a header")
        width, height = struct.unpack_from(">II", header)
        if width * height > max_pixels:
            raise ValueError("too large")
        return cls(width, height, header[8], header[9])

    @property
    def max_bytes(self) -> int:
        """The maximum size of the image data when inflated; an interlaced image has a few bytes more per row."""
        samples = 1 if self.color == _PALETTE else _SAMPLES[self.color]
        return self.height * (self.width * self.depth * samples // 8 + 6) + 16

    def renders(self, kind: bytes, data: bytes) -> bool:
        """Whether this chunk, which holds no image data, renders the image."""
        match kind:
            case b"PLTE":
                return self._is_palette(data)
            case b"tRNS":
                return self._is_transparency(data)
            case b"sBIT":
                most = 8 if self.color == _PALETTE else self.depth
                return len(data) == _SAMPLES[self.color] and all(0 < bits <= most for bits in data)
            case b"sRGB":
                return len(data) == 1 and data[0] <= 3
            case b"gAMA":
                return len(data) == 4 and int.from_bytes(data) in _GAMMAS
            case b"cHRM":
                return len(data) == 32 and struct.unpack(">8I", data) in _PRIMARIES
            case b"pHYs":
                across, down, unit = struct.unpack(">IIB", data) if len(data) == 9 else (0, 0, 0)
                return across == down and across in _DOTS_PER_METER and unit == 1
        return False

    def _is_palette(self, data: bytes) -> bool:
        """Whether it is the palette of an image that needs one; for other images it is only a suggestion."""
        if self.color != _PALETTE or len(data) % 3 or len(data) > 3 * 2**self.depth:
            return False
        self.palette = len(data) // 3
        return True

    def _is_transparency(self, data: bytes) -> bool:
        if self.color == _PALETTE:
            return len(data) <= self.palette
        count = _KEYED_SAMPLES.get(self.color, 0)
        is_exact = bool(count) and len(data) == 2 * count
        return is_exact and all(sample < 2**self.depth for sample in struct.unpack(f">{count}H", data))


class ImageData:
    """The compressed stream in consecutive chunks of image data, up to its end."""

    def __init__(self, max_bytes: int) -> None:
        """Begin at the start of a stream that inflates to at most this size."""
        self._stream = zlib.decompressobj()
        self._left = max_bytes

    def size(self, data: memoryview) -> int:
        """How many bytes at the start of the next chunk belong to the stream; `ValueError` if it is too large."""
        for at in range(0, len(data), _READ_AT_ONCE):
            if self._stream.eof:
                return at
            part = data[at : at + _READ_AT_ONCE]
            self._left -= len(self._stream.decompress(part))
            if self._left < 0:
                raise ValueError("more data than pixels")
            if self._stream.unused_data:
                return at + len(part) - len(self._stream.unused_data)
        return len(data)


def checked(kind: bytes, data: memoryview, checksum: memoryview) -> memoryview:
    """The content of a chunk, if its checksum is right."""
    if struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))) != checksum:
        raise ValueError("wrong checksum")
    return data


def chunk_of(kind: bytes, data: memoryview) -> bytes:
    """A chunk with its length and its checksum."""
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))])
