"""Images in the local stack: the demo creates one, and its link works over HTTP until it expires."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.chat.image import png_bytes
from tests.local.demo import Demo
from tests.local.seed import seed
from tests.local.stack import Stack
from tests.local.toy.calling import Reply, call


@dataclass(frozen=True)
class DemoResult:
    """A stack after the demo, with the printed text and the API keys."""

    stack: Stack
    text: str
    keys: dict[str, str]

    @property
    def image(self) -> str:
        """The URL of the image that the demo created."""
        return next(line.removeprefix("    > ") for line in self.text.splitlines() if "/api/images/" in line)

    def link(self) -> str:
        """Request a new link to the image."""
        return str(get(self.image, self.keys["alice"]).headers["Location"])


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoResult]:
    output = io.StringIO()
    with FakeOpenRouter() as upstream, Stack(upstream_url=upstream.url) as stack:
        keys = seed(stack)
        Demo(stack.url, keys, upstream.url, None, output).run()
        yield DemoResult(stack, output.getvalue(), keys)


def get(url: str, key: str | None = None) -> Reply:
    """Send a GET request without following redirects."""
    return call(url, "GET", f"?{urlsplit(url).query}", **({"Authorization": f"Bearer {key}"} if key else {}))


def test_demo_shows_a_template_and_an_image(demo: DemoResult) -> None:
    assert "Explain {{topic}} to {{reader}}" in demo.text
    assert f"image/png, {len(png_bytes())} bytes" in demo.text
    assert demo.image.startswith(f"{demo.stack.url}/api/images/img_")
    assert f"curl -sL {demo.image}" in demo.text


def test_image_link_returns_the_content_and_headers_of_its_row(demo: DemoResult) -> None:
    answer = get(demo.link())
    assert answer.body == png_bytes()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == f"inline; filename={sha256(png_bytes()).hexdigest()}.png"
    assert answer.headers["Cache-Control"] == "private, immutable, max-age=31536000"


def test_image_link_uses_only_the_images_function_permissions(demo: DemoResult) -> None:
    demo.stack.calls.clear()
    assert get(demo.link()).status == 200
    counted, *rest = demo.stack.calls.of("ImagesFunction")
    assert (counted, rest) == (("dynamodb", "UpdateItem"), [("dynamodb", "GetItem"), ("s3", "GetObject")])
    used = {(name, action) for name, action, resource in demo.stack.permissions.used if "/media/" in resource}
    assert used == {("ExecuteFunction", "s3:PutObject"), ("ImagesFunction", "s3:GetObject")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/media/exe_", "/media/exe_0"),
        ("/media/", "/other/"),
        ("image%2Fpng", "text%2Fhtml"),
        ("inline", "attachment"),
        ("X-Amz-Expires=300", "X-Amz-Expires=86400"),
        ("X-Amz-Expires=300", "X-Amz-Expires=0"),
        ("X-Amz-Credential=ImagesFunction", "X-Amz-Credential=ExecuteFunction"),
        ("X-Amz-Credential=ImagesFunction", "X-Amz-Credential=Nobody"),
    ],
)
def test_image_link_rejects_changed_or_expired_url(demo: DemoResult, old: str, new: str) -> None:
    link = demo.link()
    assert old in link
    assert get(link.replace(old, new)).status == 403


def test_image_link_is_not_returned_to_other_users(demo: DemoResult) -> None:
    assert get(demo.image).status == 401
    assert get(demo.image, demo.keys["bob"]).json["error"]["code"] == "not_found"
