"""Media inputs are sent in their normal form, and a rejection says what to send instead."""

from base64 import b64encode

import pytest

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_LINK_CHARACTERS
from instant.domain.media import read_media
from instant.domain.media_types import MediaKind

PNG, JPEG = b"\x89PNG\r\n\x1a\n....", b"\xff\xd8\xff\xe0...."
WEBP, GIF = b"RIFF\x08\x00\x00\x00WEBP....", b"GIF89a...."
WAV, MP3, PDF = b"RIFF\x08\x00\x00\x00WAVE....", b"ID3\x04....", b"%PDF-1.7\n...."
UNKNOWN = b"no signature"


def url(name: str, data: bytes) -> str:
    """Return a data URL."""
    return f"data:{name};base64,{b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("kind", "name", "data", "sent"),
    [
        ("image", "image/png", UNKNOWN, "image/png"),
        ("image", "image/jpg", UNKNOWN, "image/jpeg"),
        ("image", "image/PJPEG", UNKNOWN, "image/jpeg"),
        ("image", "image/x-png", UNKNOWN, "image/png"),
        ("image", "image/jpg", PNG, "image/jpeg"),
        ("image", "application/binary", JPEG, "image/jpeg"),
        ("image", "application/octet-stream;name=a", WEBP, "image/webp"),
        ("image", "application/octet-stream", PNG, "image/png"),
        ("image", "", GIF, "image/gif"),
        ("file", "application/pdf", UNKNOWN, "application/pdf"),
        ("file", "application/x-pdf;filename=report.pdf", PDF, "application/pdf"),
        ("file", "binary/octet-stream", b"\n\n" + PDF, "application/pdf"),
    ],
)
def test_read_media_sends_the_standard_type(kind: MediaKind, name: str, data: bytes, sent: str) -> None:
    media = read_media(kind, url(name, data), "inputs.it")
    assert (media.url, media.size_bytes) == (url(sent, data), len(data))


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("audio/wav", UNKNOWN, "wav"),
        ("audio/vnd.wave", UNKNOWN, "wav"),
        ("audio/x-wav", WAV, "wav"),
        ("audio/mp3", UNKNOWN, "mp3"),
        ("audio/x-mpeg-3", UNKNOWN, "mp3"),
        ("audio/wave", MP3, "wav"),
        ("application/octet-stream", WAV, "wav"),
        ("", MP3, "mp3"),
        ("application/octet-stream", b"\xff\xfb\x90....", "mp3"),
    ],
)
def test_read_media_names_the_audio_format(name: str, data: bytes, form: str) -> None:
    media = read_media("audio", url(name, data), "inputs.it")
    assert (media.format, media.data) == (form, b64encode(data).decode())


def test_read_media_sends_data_without_breaks_escapes_or_missing_padding() -> None:
    media = read_media("image", "DATA:image/jpg;name=a.jpg;BASE64,aG\r\nk%2B\n", "inputs.it")
    assert media.url == "data:image/jpeg;base64,aGk+"
    assert read_media("image", "data:image/png;base64,aGk", "inputs.it").url == "data:image/png;base64,aGk="


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("HTTPS://EXAMPLE.COM/A.PNG", "https://example.com/A.PNG"),
        (" https://example.com/a.png\n", "https://example.com/a.png"),
        ("https://example.com?w=1", "https://example.com?w=1"),
        ("https://example.com:8443/a@b.png#x", "https://example.com:8443/a@b.png#x"),
        ("https://bücher.example/größe.png", "https://bücher.example/größe.png"),
    ],
)
def test_read_media_accepts_links_to_images(link: str, sent: str) -> None:
    assert read_media("image", link, "inputs.it").url == sent


def test_read_media_accepts_long_links_and_names_the_limit() -> None:
    link = "https://example.com/?token=" + "A" * (MAX_LINK_CHARACTERS - 27)
    assert read_media("image", link, "inputs.it").url == link
    with pytest.raises(InvalidField, match=f"{MAX_LINK_CHARACTERS} are allowed"):
        read_media("image", link + "A", "inputs.it")


@pytest.mark.parametrize(
    ("kind", "value", "advice"),
    [
        ("image", 7, "must be text"),
        ("image", "http://example.com/a.png", "https links only"),
        ("image", "https://user:pw@example.com/a.png", "presigned"),
        ("image", "https://example.com/a b.png", "%20"),
        ("image", "https://localhost/a.png", "cannot reach"),
        ("image", "https://example./a.png", "cannot reach"),
        ("image", "file:///etc/passwd", "an https link, or a base64 data URL"),
        ("image", "data:image/svg+xml;base64,PHN2Zz4=", "image/gif, image/jpeg, image/png, image/webp"),
        ("image", "data:image/png,plain", "base64 data URL"),
        ("image", "data:image/png;base64,####", "is not valid base64"),
        ("image", url("", UNKNOWN), "one of: image/gif"),
        ("image", url("application/pdf", PDF), "one of: image/gif"),
        ("file", "https://example.com/a.pdf", "only images can be"),
        ("file", url("text/plain", PDF), "one of: application/pdf"),
        ("audio", url("audio/ogg", b"OggS"), "one of: audio/mpeg, audio/wav"),
    ],
)
def test_read_media_rejection_says_what_to_send(kind: MediaKind, value: object, advice: str) -> None:
    with pytest.raises(InvalidField, match=r"^inputs\.it: ") as caught:
        read_media(kind, value, "inputs.it")
    assert advice in caught.value.message
    assert caught.value.details == {"field": "inputs.it"}
