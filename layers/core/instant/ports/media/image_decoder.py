"""Decoding of images."""

from typing import Protocol

from instant.domain.executions.image import Picture


class PictureReader(Protocol):
    """Makes sure that bytes are a picture."""

    def read(self, data: bytes) -> Picture | None:
        """The picture, decoded whole and without anything beside it; None if `data` is none, or too large a one."""
