"""Stored images and links to them."""

from typing import Protocol

from instant.domain.executions.image import Image


class ImageStore(Protocol):
    """Where images are kept."""

    def keep(self, image: Image, data: bytes) -> None:
        """Store the bytes, then the record; again is a no-op."""


class ImageReader(Protocol):
    """Kept images: their records, and links to them."""

    def get(self, image_id: str) -> Image | None:
        """The record, read consistently."""

    def link(self, image: Image, *, seconds: int) -> str:
        """A URL under which anybody can read the image for so long."""
