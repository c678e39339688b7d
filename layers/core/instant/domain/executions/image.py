"""Images that models generated: the decoded image, and its stored record."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

type ImageFormat = Literal["image/png", "image/jpeg", "image/webp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """One decoded still image: `data` is completely decoded and contains no metadata; sizes are in pixels."""

    data: bytes
    content_type: ImageFormat
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """The SHA-256 of `data`."""
        return sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A stored image."""

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
        """The path of its route, relative to the API's base URL."""
        return f"/api/images/{self.image_id}"

    @property
    def file_name(self) -> str:
        """The file name for downloads."""
        return f"{self.sha256}.{_ENDINGS[self.content_type]}"


_ENDINGS: dict[ImageFormat, str] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
