"""Images in the local stack: the demo shows one, and its link works over plain HTTP for its user until it expires."""

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
class Shown:
    """A stack after its demo: what that printed, and the keys."""

    stack: Stack
    text: str
    keys: dict[str, str]

    @property
    def image(self) -> str:
        """The URL of the image that the demo painted."""
        return next(line.removeprefix("    > ") for line in self.text.splitlines() if "/api/images/" in line)

    def link(self) -> str:
        """A fresh link to it."""
        return str(get(self.image, self.keys["alice"]).headers["Location"])


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    output = io.StringIO()
    with FakeOpenRouter() as upstream, Stack(upstream_url=upstream.url) as stack:
        keys = seed(stack)
        Demo(stack.url, keys, upstream.url, None, output).run()
        yield Shown(stack, output.getvalue(), keys)


def get(url: str, key: str | None = None) -> Reply:
    """The answer to a plain GET, which follows nothing."""
    return call(url, "GET", f"?{urlsplit(url).query}", **({"Authorization": f"Bearer {key}"} if key else {}))


def test_demo_shows_a_template_and_an_image(shown: Shown) -> None:
    assert "Explain {{topic}} to {{reader}}" in shown.text
    assert f"image/png, {len(png_bytes())} bytes" in shown.text
    assert shown.image.startswith(f"{shown.stack.url}/api/images/img_")
    assert f"curl -sL {shown.image}" in shown.text


def test_image_link_returns_the_content_and_headers_of_its_row(shown: Shown) -> None:
    answer = get(shown.link())
    assert answer.body == png_bytes()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == f"inline; filename={sha256(png_bytes()).hexdigest()}.png"
    assert answer.headers["Cache-Control"] == "private, immutable, max-age=31536000"


def test_image_link_uses_only_the_images_function_permissions(shown: Shown) -> None:
    shown.stack.calls.clear()
    assert get(shown.link()).status == 200
    counted, *rest = shown.stack.calls.of("ImagesFunction")
    assert (counted, rest) == (("dynamodb", "UpdateItem"), [("dynamodb", "GetItem"), ("s3", "GetObject")])
    used = {(name, action) for name, action, resource in shown.stack.permissions.used if "/media/" in resource}
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
def test_image_link_rejects_changed_or_expired_url(shown: Shown, old: str, new: str) -> None:
    link = shown.link()
    assert old in link
    assert get(link.replace(old, new)).status == 403


def test_image_link_is_not_returned_to_other_users(shown: Shown) -> None:
    assert get(shown.image).status == 401
    assert get(shown.image, shown.keys["bob"]).json["error"]["code"] == "not_found"
