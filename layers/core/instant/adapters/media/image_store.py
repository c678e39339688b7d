"""Images: bytes in the media bucket, then records in DynamoDB, so that no record points to a missing object."""

from dataclasses import asdict
from datetime import timedelta
from typing import override

from botocore.exceptions import ClientError
from pynamodb.attributes import UnicodeAttribute

from instant.adapters.aws.client import client
from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.domain.clock import parse_time
from instant.domain.executions.image import Image
from instant.ports.media.image_store import ImageReader, ImageStore

_THERE_ALREADY = "PreconditionFailed"

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
        self._put(image, data)
        expires = parse_time(image.created_at) + timedelta(days=self._days_kept)
        self._rows(**asdict(image), expires_at=int(expires.timestamp())).save()

    def _put(self, image: Image, data: bytes) -> None:
        """The key contains the hash of the bytes, so an existing object is identical."""
        try:
            client("s3").put_object(
                Bucket=self._bucket,
                Key=image.object_key,
                Body=data,
                ContentType=image.content_type,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _THERE_ALREADY:
                raise


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
        url: str = client("s3").generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": image.object_key,
                "ResponseContentType": image.content_type,
                "ResponseContentDisposition": f"inline; filename={image.file_name}",
                "ResponseCacheControl": f"private, immutable, max-age={CACHE_SECONDS}",
            },
            ExpiresIn=seconds,
        )
        return url
