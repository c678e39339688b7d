"""GET /api/images/{image_id}: a short-lived link for the user whose execution produced the image."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.app import Answer, App
from tests.integration.media import image_id, paint


@pytest.fixture
def image(seeded: App) -> str:
    """Return the id of one of alice's images."""
    return image_id(paint(seeded, "picture jpeg").json["output"]["urls"][0])


def read(app: App, image: str, user: str = "alice", **headers: str) -> Answer:
    return app.call("GET", f"/api/images/{image}", user=user, headers=headers)


def test_get_image_redirects_a_browser(seeded: App, image: str) -> None:
    answer = read(seeded, image, Accept="image/avif,image/webp,*/*;q=0.8")
    assert (answer.status, answer.text) == (302, "")
    assert answer.headers["Location"].startswith("https://")
    assert answer.headers["Cache-Control"] == "no-store"


def test_get_image_returns_a_program_the_link_and_expiry(seeded: App, image: str) -> None:
    before = datetime.now(UTC)
    answer = read(seeded, image, Accept="application/json")
    assert answer.status == 200
    assert set(answer.json) == {"url", "expires_at"}
    made_at = datetime.fromisoformat(answer.json["expires_at"]) - timedelta(seconds=300)
    assert before <= made_at <= datetime.now(UTC)
    assert answer.headers["Cache-Control"] == "no-store"


def test_image_link_expires_soon_and_declares_the_content_type(seeded: App, image: str) -> None:
    (row,) = seeded.table("IMAGES_TABLE")
    url = urlsplit(read(seeded, image, Accept="application/json").json["url"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == f"/{row['object_key']['S']}"
    assert url.netloc == f"{seeded.name('MEDIA_BUCKET')}.s3.amazonaws.com"
    assert query["X-Amz-Expires"] == "300"
    assert query["response-content-type"] == "image/jpeg"
    assert query["response-content-disposition"] == f"inline; filename={row['sha256']['S']}.jpg"
    assert query["response-cache-control"] == "private, immutable, max-age=31536000"


def test_get_image_of_another_user_returns_not_found(seeded: App, image: str) -> None:
    foreign, missing = read(seeded, image, "bob"), read(seeded, "img_00000000000000000000000000", "bob")
    assert (foreign.status, foreign.text) == (missing.status, missing.text)
    assert (foreign.status, foreign.code) == (404, "not_found")


def test_get_image_denies_the_owner_of_the_resource(seeded: App) -> None:
    seeded.connect("bob")
    resource = seeded.resource(config={"model": "juniper/fresco-2", "max_tokens": None}, visibility="public")
    made = seeded.execute(resource["resource_id"], user="bob").json["output"]["urls"][0]
    assert read(seeded, image_id(made)).status == 404
    assert read(seeded, image_id(made), "bob").status == 302
