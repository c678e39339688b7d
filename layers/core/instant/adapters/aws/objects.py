"""Objects in S3 that are written once, and links to them."""

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client

_EXISTS = "PreconditionFailed"


def put_once(bucket: str, key: str, data: bytes, content_type: str) -> None:
    """Store an object whose content depends on its key only, so that an existing object is identical."""
    try:
        client("s3").put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] != _EXISTS:
            raise


def signed_link(bucket: str, key: str, *, content_type: str, disposition: str, cache_control: str, seconds: int) -> str:
    """A URL from which anyone can read the object for `seconds`, with these headers."""
    url: str = client("s3").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": cache_control,
        },
        ExpiresIn=seconds,
    )
    return url
