"""Stored images and links to them."""

from typing import Protocol

from instant.domain.executions.image import Image


class ImageStore(Protocol):
    """Stores images."""

    def keep(self, image: Image, data: bytes) -> None:
        """Store the bytes, then the record; idempotent."""


class ImageReader(Protocol):
    """Stored images: their records, and links to them."""

    def get(self, image_id: str) -> Image | None:
        """The record, from a consistent read."""

    def link(self, image: Image, *, seconds: int) -> str:
        """A signed URL, valid for `seconds`, with which the image can be read without a token."""
