"""Decoding of replies: encodings, the framing of server-sent events, deep nesting, and strings."""

import json
from decimal import Decimal

import pytest

from instant.integrations.openrouter.decoding import decode_reply, encode

BODY = '{"id": "gen-1", "text": "a: b\\ndata: c \u2028: d", "cost": 0.10}'
VALUE = {"id": "gen-1", "text": "a: b\ndata: c \u2028: d", "cost": Decimal("0.10")}

FRAMED = {
    "plain": BODY,
    "blank lines first": f"\n\n   \n{BODY}",
    "byte order mark": f"\ufeff{BODY}",
    "comments first": f": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n{BODY}",
    "comments with CRLF": f": OPENROUTER PROCESSING\r\n\r\n:\r\n{BODY}\r\n",
    "comments last": f"{BODY}\n\n: OPENROUTER PROCESSING\n\n",
    "[DONE] last": f"{BODY}\n\ndata: [DONE]\n\n",
    "[DONE] in the same line": f"{BODY}data:[DONE]",
    "event": f"event: message\nid: 7\nretry: 10\ndata: {BODY}\n\ndata: [DONE]\n\n",
    "event in lines": "data:" + json.dumps(json.loads(BODY), indent=1).replace("\n", "\ndata:") + "\n\n",
    "byte order mark and comment": f"\ufeff: OPENROUTER PROCESSING\n\n{BODY}",
    "indented JSON": ": wait\n" + json.dumps(json.loads(BODY), indent=4),
}


@pytest.mark.parametrize("name", FRAMED)
def test_decoding_ignores_framing_around_json(name: str) -> None:
    assert decode_reply(FRAMED[name].encode()) == VALUE | {"cost": pytest.approx(Decimal("0.1"))}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b": wait\n\n",
        b"data: [DONE]\n\n",
        b"data: {\n\n",
        b'data: {"a": 1}\n\ndata: {"a": 2}\n\n',
        b"<html>data: {}</html>",
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32-le"),
    ],
)
def test_decoding_rejects_anything_else(body: bytes) -> None:
    assert decode_reply(body) is None


def test_decoding_replaces_lone_surrogates_in_values_and_keys() -> None:
    body = rb'{"\udc00": ["\ud83d", {"a\ud83d": "\ud83d\ude00 \u00e9"}], "b": "\ude00\ud83d"}'
    assert decode_reply(body) == {"?": ["?", {"a?": "\U0001f600 é"}], "b": "??"}


@pytest.mark.parametrize("depth", [400, 5_000, 200_000])
def test_decoding_reads_what_is_beside_deep_nesting(depth: int) -> None:
    for deep in ("[" * depth + "]" * depth, '{"]":' * depth + "1" + "}" * depth):
        value = decode_reply(f'{{"deep": {deep}, "a": ["}}\\"", 1], "b": 2}}'.encode())
        assert (value["a"], value["b"]) == (['}"', 1], 2)


def test_encoding_keeps_every_digit() -> None:
    text = '{"a": [0.12345678901234567890, 1E+400, 123456789012345678901234567890, true, null, "\\u00e9"]}'
    assert encode(decode_reply(text.encode())) == text
