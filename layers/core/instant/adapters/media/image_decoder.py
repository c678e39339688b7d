"""Decode images with Pillow, within limits; Pillow is imported with the first image (60 ms)."""

import logging
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, override

from instant.adapters.media.image_formats import MAX_PIXELS, bare_jpeg, bare_png, bare_webp
from instant.domain.executions.image import DecodedImage, ImageFormat
from instant.ports.media.image_decoder import ImageDecoder

if TYPE_CHECKING:
    from PIL.Image import Image as Canvas

MAX_WEBP_PIXELS = 17_000_000
"""The same for WebP and for images that are re-encoded, where decoding takes 16 bytes per pixel."""

_FORMATS: dict[bytes, str] = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP", b"GIF8": "GIF"}
_BARE: dict[str, Callable[[bytes], bytes | None]] = {"PNG": bare_png, "JPEG": bare_jpeg, "WEBP": bare_webp}
_TYPES: dict[str, ImageFormat] = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_ORIENTATION = 0x0112

_log = logging.getLogger(__name__)


class PillowImageDecoder(ImageDecoder):
    """PNG, JPEG and WebP keep their format; a GIF, an animation or a rotated image becomes a PNG."""

    @override
    def decode(self, data: bytes) -> DecodedImage | None:
        try:
            return _read(data)
        except Exception as error:  # malformed images make Pillow raise errors without a common base class
            _log.warning("an image could not be decoded", extra={"error": type(error).__name__})
            return None


def _read(data: bytes) -> DecodedImage | None:
    form = next((form for magic, form in _FORMATS.items() if data.startswith(magic)), None)
    if form is None:
        return None
    bare = _BARE[form](data) if form in _BARE else None
    if bare is None or (len(bare) != len(data) and _is_turned(data, form)):
        return _repainted(data, form)
    with _whole(bare, form, MAX_WEBP_PIXELS if form == "WEBP" else MAX_PIXELS) as canvas:
        return DecodedImage(data=bare, content_type=_TYPES[form], width=canvas.width, height=canvas.height)


def _whole(data: bytes, form: str, max_pixels: int) -> "Canvas":
    """Decode every pixel of the image: `verify` checks only checksums, `load` the data."""
    _opened(data, form).verify()
    canvas = _opened(data, form)
    if canvas.width * canvas.height > max_pixels:
        raise ValueError("too large")
    canvas.load()
    return canvas


def _repainted(data: bytes, form: str) -> DecodedImage:
    """The first frame, upright, as a PNG."""
    from PIL import ImageOps

    with _whole(data, form, MAX_WEBP_PIXELS) as canvas:
        upright = ImageOps.exif_transpose(canvas)
    file = BytesIO()
    upright.save(file, "PNG", compress_level=1)
    bare = bare_png(file.getvalue())
    return DecodedImage(data=bare, content_type="image/png", width=upright.width, height=upright.height)


def _is_turned(data: bytes, form: str) -> bool:
    """Whether EXIF, which is removed, rotates the image; malformed EXIF is ignored."""
    with suppress(Exception):
        return form != "PNG" and _opened(data, form).getexif().get(_ORIENTATION, 1) != 1
    return False


def _opened(data: bytes, form: str) -> "Canvas":
    canvas: Canvas = _pillow().open(BytesIO(data), formats=[form])
    return canvas


@cache
def _pillow() -> Any:
    """Pillow, configured to reject decompression bombs: by default it only warns up to twice its limit."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    return Image
