"""Links to images in the media bucket, signed with this function's own rights."""

from instant.adapters.aws import client
from instant.domain.image import Image

CACHE_SECONDS = 31_536_000
"""How long a browser may keep what it read: a key names its bytes by their hash, so they never change."""


class S3ImageLinks:
    """Presigned URLs, which say themselves as what the bytes are answered."""

    def __init__(self, bucket: str) -> None:
        """Use the bucket of this name."""
        self._bucket = bucket

    def link(self, image: Image, *, seconds: int) -> str:
        """A URL under which anybody can read the image for so long."""
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
