"""Helpers of the image tests: executing an image model, and reading the stored objects."""

from typing import Any

from instant.adapters.aws import client as aws
from tests.integration.app import Answer, App

PAINTER = "juniper/fresco-2"


def paint(app: App, *directives: str, model: str = PAINTER, **config: Any) -> Answer:
    """Execute an image model that sends what `directives` say; it always costs 2,000 nano-USD."""
    resource = app.resource(config={"model": model, "max_tokens": None, **config})
    wishes = " ".join(f"[[fake: {directive}]]" for directive in (*directives, "price 0.000002"))
    return app.execute(resource["resource_id"], f"A harbour at dawn. {wishes}")


def objects(app: App) -> dict[str, dict[str, Any]]:
    """Return every object in the media bucket by key, with its `Body` read."""
    s3, bucket = aws.client("s3"), app.name("MEDIA_BUCKET")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    found = {key: s3.get_object(Bucket=bucket, Key=key) for key in keys}
    return {key: {**answer, "Body": answer["Body"].read()} for key, answer in found.items()}


def image_id(url: str) -> str:
    """Return the id in an image's URL."""
    return url.rpartition("/")[2]
