"""Images that models made: an image as it was read, and what is kept of it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

type ImageFormat = Literal["image/png", "image/jpeg", "image/webp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """One still image: `data` was decoded whole and holds nothing but what paints; sizes are in pixels."""

    data: bytes
    content_type: ImageFormat
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """The name of exactly these bytes."""
        return sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image in the bucket."""

    image_id: str
    user_id: str
    execution_id: str
    object_key: str
    sha256: str
    content_type: ImageFormat
    size_bytes: int
    width: int
    height: int
    created_at: str

    @property
    def path(self) -> str:
        """Where its user reads it, below the API's own address."""
        return f"/api/images/{self.image_id}"

    @property
    def file_name(self) -> str:
        """Its name when it is saved."""
        return f"{self.sha256}.{_ENDINGS[self.content_type]}"


_ENDINGS: dict[ImageFormat, str] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
