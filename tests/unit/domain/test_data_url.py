"""Data URLs are read as RFC 2397 and browsers allow them to be written."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.data_url import DataUrl, is_data_url, parse_data_url

DATA = b"\xfb\xff\xbe pixels"
TEXT = b64encode(DATA).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:IMAGE/PNG;BASE64,{TEXT}",
        f"data:image/png;name=a.png;base64,{TEXT}",
        f'data:image/png;name="a, b.png";charset=utf-8;base64,{TEXT}',
        f"data:image/png; base64 ,{TEXT}",
        f"data:image%2Fpng;base64,{TEXT}",
        f"  data:image/png;base64,{TEXT}\n",
        f"data:image/png;base64,{TEXT[:4]}\r\n{TEXT[4:]}\r\n",
        f"data:image/png;base64,{TEXT.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}",
        f"data:image/png;base64,{TEXT.rstrip('=')}",
        f"data:image/png;base64,{urlsafe_b64encode(DATA).decode()}",
    ],
)
def test_data_url_accepts_every_spelling(url: str) -> None:
    assert parse_data_url(url) == DataUrl("image/png", DATA)
    assert is_data_url(url)


def test_data_url_without_a_type_has_an_empty_one() -> None:
    assert parse_data_url(f"data:;base64,{TEXT}") == DataUrl("", DATA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data:",
        TEXT,
        "https://example.com/;base64,aGk=",
        "data:image/png,aGk=",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,====",
        "data:image/png;base64,aGk=aGk=",
        "data:image/png;base64,a",
        "data:image/png;base64,####",
        "data:image/png;base64,\ud800",
        "data:image/png;base64,é===",
        f"data:image/png;name={'a' * 1_000};base64,aGk=",
    ],
)
def test_data_url_rejects_other_text(text: str) -> None:
    assert parse_data_url(text) is None


def test_data_url_checks_the_size_before_decoding() -> None:
    url = f"data:image/png;base64,{b64encode(bytes(100)).decode()}"
    assert parse_data_url(url, max_bytes=100) == DataUrl("image/png", bytes(100))
    assert parse_data_url(url, max_bytes=99) is None


@given(st.binary(min_size=1), st.from_regex(r"[a-z]{1,9}/[a-z0-9.+-]{1,9}", fullmatch=True))
def test_data_url_returns_what_was_encoded(data: bytes, media_type: str) -> None:
    assert parse_data_url(f"data:{media_type};base64,{b64encode(data).decode()}") == DataUrl(media_type, data)


@given(st.text(alphabet="data:;base64,AB+/=%2 \n-_é#"))
def test_data_url_never_raises(text: str) -> None:
    found = parse_data_url(text)
    assert found is None or found.data
