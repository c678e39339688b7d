"""Decoding of images."""

from typing import Protocol

from instant.domain.executions.image import DecodedImage


class ImageDecoder(Protocol):
    """Decodes images."""

    def decode(self, data: bytes) -> DecodedImage | None:
        """The image, decoded whole and without anything beside it; None if `data` is none, or too large a one."""
