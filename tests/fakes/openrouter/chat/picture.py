"""A small real PNG for models that paint, made by hand so that no imaging library is needed."""

import base64
import struct
import zlib

SIDE = 16


def small_png() -> str:
    """A data URL with a 16 x 16 picture of a soft gradient."""
    return "data:image/png;base64," + base64.b64encode(png_bytes()).decode()


def png_bytes() -> bytes:
    """The bytes of that picture."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"".join(_pixel(x, y) for x in range(SIDE)) for y in range(SIDE))
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _pixel(x: int, y: int) -> bytes:
    return bytes((40 + 12 * x, 90 + 8 * y, 200))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
