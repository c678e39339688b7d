"""Images: bytes in the media bucket, then records in DynamoDB, so that no record points to a missing object."""

from dataclasses import asdict
from datetime import timedelta
from typing import override

from pynamodb.attributes import UnicodeAttribute

from instant.adapters.aws.objects import put_once, signed_link
from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.domain.clock import parse_time
from instant.domain.executions.image import Image
from instant.ports.media.image_store import ImageReader, ImageStore

CACHE_SECONDS = 31_536_000
"""How long a browser may cache an image: the key contains the hash of the bytes, so they never change."""


class ImageRow(Table):
    """The record of one image."""

    image_id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    execution_id = UnicodeAttribute()
    object_key = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    content_type = UnicodeAttribute()
    size_bytes = IntegerAttribute()
    width = IntegerAttribute()
    height = IntegerAttribute()
    created_at = UnicodeAttribute()
    expires_at = IntegerAttribute()

    def record(self) -> Image:
        """Convert the row to the domain object."""
        return Image(**{name: value for name, value in self.values.items() if name != "expires_at"})


class S3ImageStore(ImageStore):
    """Stores one object and one row per image."""

    def __init__(self, table_name: str, bucket: str, *, days_kept: int) -> None:
        """Use the table and the bucket of these names; rows expire after `days_kept` days, before their objects."""
        self._rows = ImageRow.named(table_name)
        self._bucket = bucket
        self._days_kept = days_kept

    @override
    def keep(self, image: Image, data: bytes) -> None:
        put_once(self._bucket, image.object_key, data, image.content_type)
        expires = parse_time(image.created_at) + timedelta(days=self._days_kept)
        self._rows(**asdict(image), expires_at=int(expires.timestamp())).save()


class DynamoImageReader(ImageReader):
    """Reads what `S3ImageStore` recorded."""

    def __init__(self, table_name: str, bucket: str) -> None:
        """Use the table and the bucket of these names."""
        self._rows = ImageRow.named(table_name)
        self._bucket = bucket

    @override
    def get(self, image_id: str) -> Image | None:
        row = self._rows.find(image_id)
        return row.record() if row else None

    @override
    def link(self, image: Image, *, seconds: int) -> str:
        return signed_link(
            self._bucket,
            image.object_key,
            content_type=image.content_type,
            disposition=f"inline; filename={image.file_name}",
            cache_control=f"private, immutable, max-age={CACHE_SECONDS}",
            seconds=seconds,
        )
