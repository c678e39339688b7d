"""What the image tests share: resources that paint, and everything that a house has stored of images."""

from typing import Any

from instant.adapters.aws import client as aws
from tests.integration.house import Answer, House

PAINTER = "juniper/fresco-2"


def paint(house: House, *directives: str, model: str = PAINTER, **config: Any) -> Answer:
    """Execute a resource that paints, its model told what to send; it always costs 2,000 nano-USD."""
    resource = house.resource(config={"model": model, "max_tokens": None, **config})
    wishes = " ".join(f"[[fake: {directive}]]" for directive in (*directives, "price 0.000002"))
    return house.execute(resource["resource_id"], f"A harbour at dawn. {wishes}")


def objects(house: House) -> dict[str, dict[str, Any]]:
    """Every object in the media bucket by key, as S3 answers it, its `Body` read."""
    s3, bucket = aws.client("s3"), house.name("MEDIA_BUCKET")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    found = {key: s3.get_object(Bucket=bucket, Key=key) for key in keys}
    return {key: {**answer, "Body": answer["Body"].read()} for key, answer in found.items()}


def image_id(url: str) -> str:
    """The id in an image's URL."""
    return url.rpartition("/")[2]
