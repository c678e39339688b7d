"""Decoding of images."""

from typing import Protocol

from instant.domain.executions.image import DecodedImage


class ImageDecoder(Protocol):
    """Decodes and validates images."""

    def decode(self, data: bytes) -> DecodedImage | None:
        """The completely decoded image, without metadata; None if `data` is not an image, or is too large."""
