"""The search finds a secret in every encoding, whole or in part, and ignores its hint and hash."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote

import pytest

from tests.canary.needles import WINDOW, found

SECRET = "sk-or-v1-" + sha256(b"canary").hexdigest()
SPECIAL = 'pa/ss"w\\ö+rd&with=more~of ?it'

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "hex": lambda text: text.encode().hex().encode(),
    "capital hex": lambda text: text.encode().hex().upper().encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "every character percent-encoded": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps({"key": text}).encode(),
    "every character escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "UTF-16-LE": lambda text: text.encode("utf-16-le"),
    "UTF-16-BE": lambda text: text.encode("utf-16-be"),
    "UTF-16 with a byte order mark": lambda text: text.encode("utf-16"),
    "base64": lambda text: b64encode(text.encode()),
    "base64 after one byte": lambda text: b64encode(b"\xff" + text.encode() + b"\xff"),
    "base64 after two bytes": lambda text: b64encode(b"\xff\xfe" + text.encode() + b"\xff"),
    "base64 for URLs": lambda text: urlsafe_b64encode(b"x:" + text.encode()),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", [SECRET, SPECIAL], ids=["key", "special characters"])
def test_needles_find_every_encoding_at_any_position(encoding: str, secret: str) -> None:
    encoded = ENCODINGS[encoding](secret)
    assert found(secret, encoded)
    assert found(secret, b"\0before " + encoded + b" behind\xff")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_needles_find_part_of_a_secret(encoding: str) -> None:
    for start in (0, 7, len(SECRET) - 16):
        assert found(SECRET, ENCODINGS[encoding](SECRET[start : start + 16])), start


def test_needles_find_every_window_of_a_secret() -> None:
    for start in range(len(SECRET) - WINDOW + 1):
        assert found(SECRET, SECRET[start : start + WINDOW].encode()) == [
            "as it is",
            "URL-encoded",
            "JSON-encoded",
        ]
        assert found(SECRET, SECRET[start : start + WINDOW - 1].encode()) == []


def test_needles_ignore_hint_hash_and_public_prefix() -> None:
    text = f"sk-or-v1-...{SECRET[-4:]} {sha256(SECRET.encode()).hexdigest()}"
    assert found(SECRET, text.encode()) == []
    assert found(SECRET, b"") == []
