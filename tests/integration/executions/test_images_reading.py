"""GET /api/images/{image_id}: a short-lived link, for the user whose execution made the image."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.gallery import image_id, paint
from tests.integration.house import Answer, House


@pytest.fixture
def image(furnished: House) -> str:
    """The id of an image of alice's."""
    return image_id(paint(furnished, "picture jpeg").json["output"]["urls"][0])


def read(house: House, image: str, user: str = "alice", **headers: str) -> Answer:
    return house.call("GET", f"/api/images/{image}", user=user, headers=headers)


def test_a_browser_is_sent_on(furnished: House, image: str) -> None:
    answer = read(furnished, image, Accept="image/avif,image/webp,*/*;q=0.8")
    assert (answer.status, answer.text) == (302, "")
    assert answer.headers["Location"].startswith("https://")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_program_gets_the_link_and_its_end(furnished: House, image: str) -> None:
    before = datetime.now(UTC)
    answer = read(furnished, image, Accept="application/json")
    assert answer.status == 200
    assert set(answer.json) == {"url", "expires_at"}
    made_at = datetime.fromisoformat(answer.json["expires_at"]) - timedelta(seconds=300)
    assert before <= made_at <= datetime.now(UTC)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_link_is_short_lived_and_says_what_the_bytes_are(furnished: House, image: str) -> None:
    (row,) = furnished.table("IMAGES_TABLE")
    url = urlsplit(read(furnished, image, Accept="application/json").json["url"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == f"/{row['object_key']['S']}"
    assert url.netloc == f"{furnished.name('MEDIA_BUCKET')}.s3.amazonaws.com"
    assert query["X-Amz-Expires"] == "300"
    assert query["response-content-type"] == "image/jpeg"
    assert query["response-content-disposition"] == f"inline; filename={row['sha256']['S']}.jpg"
    assert query["response-cache-control"] == "private, immutable, max-age=31536000"


def test_somebody_else_s_image_is_as_good_as_missing(furnished: House, image: str) -> None:
    foreign, missing = read(furnished, image, "bob"), read(furnished, "img_00000000000000000000000000", "bob")
    assert (foreign.status, foreign.text) == (missing.status, missing.text)
    assert (foreign.status, foreign.code) == (404, "not_found")


def test_the_owner_of_a_resource_does_not_see_what_others_made_with_it(furnished: House) -> None:
    furnished.connect("bob")
    resource = furnished.resource(config={"model": "juniper/fresco-2", "max_tokens": None}, visibility="public")
    made = furnished.execute(resource["resource_id"], user="bob").json["output"]["urls"][0]
    assert read(furnished, image_id(made)).status == 404
    assert read(furnished, image_id(made), "bob").status == 302
