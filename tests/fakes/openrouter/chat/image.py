"""The images of image models: a small generated PNG, or the files that directives request."""

import random
import struct
import zlib
from collections.abc import Iterator, Sequence

from tests.fakes.image_samples import IMAGE_SAMPLES, chunk, data_url, png_of
from tests.fakes.openrouter.chat.directives import Directive, unknown

SIDE = 16
_MEGABYTE = 1_000_000


def small_png() -> str:
    """A data URL with a 16 x 16 gradient."""
    return data_url(png_bytes())


def png_bytes() -> bytes:
    """The bytes of that PNG."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"".join(_pixel(x, y) for x in range(SIDE)) for y in range(SIDE))
    return png_of(chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND"))


def requested_images(directives: Sequence[Directive]) -> list[str]:
    """The URLs of all images that the directives request, in order."""
    return list(_requested(directives))


def _requested(directives: Sequence[Directive]) -> Iterator[str]:
    for directive in directives:
        match directive.name, directive.words:
            case "picture", [name] if name in IMAGE_SAMPLES:
                yield data_url(IMAGE_SAMPLES[name]())
            case "data", [kind, megabytes] if megabytes.isdecimal():
                yield data_url(_noise(int(megabytes) * _MEGABYTE), kind)
            case "link", [url]:
                yield url
            case "picture" | "data" | "link", _:
                raise unknown(directive)


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _pixel(x: int, y: int) -> bytes:
    return bytes((40 + 12 * x, 90 + 8 * y, 200))
