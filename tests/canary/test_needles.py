"""The search finds a secret in every encoding, whole or in part, and ignores its hint and hash."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote

import pytest

from tests.canary.needles import WINDOW, found

SECRET = "sk-or-v1-" + sha256(b"canary").hexdigest()
AWKWARD = 'pa/ss"w\\ö+rd&with=more~of ?it'

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "hex": lambda text: text.encode().hex().encode(),
    "capital hex": lambda text: text.encode().hex().upper().encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "every letter percent-encoded": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps({"key": text}).encode(),
    "every letter escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "UTF-16-LE": lambda text: text.encode("utf-16-le"),
    "UTF-16-BE": lambda text: text.encode("utf-16-be"),
    "UTF-16 with its mark": lambda text: text.encode("utf-16"),
    "base64": lambda text: b64encode(text.encode()),
    "base64, one byte in": lambda text: b64encode(b"\xff" + text.encode() + b"\xff"),
    "base64, two bytes in": lambda text: b64encode(b"\xff\xfe" + text.encode() + b"\xff"),
    "base64 for URLs": lambda text: urlsafe_b64encode(b"x:" + text.encode()),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", [SECRET, AWKWARD], ids=["key", "awkward"])
def test_needles_find_every_encoding_at_any_position(spelling: str, secret: str) -> None:
    spelled = SPELLINGS[spelling](secret)
    assert found(secret, spelled)
    assert found(secret, b"\0before " + spelled + b" behind\xff")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_needles_find_part_of_a_secret(spelling: str) -> None:
    for start in (0, 7, len(SECRET) - 16):
        assert found(SECRET, SPELLINGS[spelling](SECRET[start : start + 16])), start


def test_needles_find_every_window_of_a_secret() -> None:
    for start in range(len(SECRET) - WINDOW + 1):
        assert found(SECRET, SECRET[start : start + WINDOW].encode()) == [
            "as it is",
            "URL-encoded",
            "JSON-encoded",
        ]
        assert found(SECRET, SECRET[start : start + WINDOW - 1].encode()) == []


def test_needles_ignore_hint_hash_and_public_prefix() -> None:
    told = f"sk-or-v1-...{SECRET[-4:]} {sha256(SECRET.encode()).hexdigest()}"
    assert found(SECRET, told.encode()) == []
    assert found(SECRET, b"") == []
