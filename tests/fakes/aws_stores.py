"""The simulated cloud's stores, emptied at once: through the API it would take a second."""

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

_ACCOUNT = "123456789012"


def empty_stores() -> None:
    """Leave every table and bucket in place with nothing in it."""
    for region in dynamodb_backends[_ACCOUNT].values():
        for table in region.tables.values():
            table.items.clear()
    for bucket in s3_backends[_ACCOUNT]["aws"].buckets.values():
        bucket.keys.clear()
