"""Streams in many shapes: those of the fake, handwritten ones, and the recordings where they are present."""

import json
from pathlib import Path
from typing import Any

from tests.fakes.openrouter.chat.stream import COMMENT, DONE, events

RECORDED = Path(__file__).parents[5] / "shared" / "data" / "openrouter" / "recorded"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "cost": 0.00000034}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "a long way off"}'}}
OTHER = {"id": "call_2", "type": "function", "function": {"name": "wait", "arguments": "{}"}}
DETAILS = [
    {"type": "reasoning.text", "text": "Two and two make four.", "format": "f", "index": 0, "signature": "Et0BCkg="},
    {"type": "reasoning.summary", "summary": "It was a sum.", "index": 1, "id": "rs_1"},
    {"type": "reasoning.encrypted", "data": "gAAA", "index": 1, "id": "rs_1"},
]
MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": "List three ideas for lunch, please: crêpes, 寿司 or \U0001f355."},
    "reasoning": {"content": "4", "reasoning": "Two and two make four.", "reasoning_details": DETAILS[:1]},
    "details": {"content": "4", "reasoning": "Two and two make four.It was a sum.", "reasoning_details": DETAILS},
    "refusal": {"content": None, "refusal": "I would rather not."},
    "tool calls": {"content": "Wait.", "tool_calls": [CALL, OTHER]},
    "image": {"content": "A dawn.", "images": [{"type": "image_url", "image_url": {"url": PIXEL}}]},
}


def completion(message: dict[str, Any], finish: str | None = "stop") -> dict[str, Any]:
    """Return a completion as one body."""
    choice = {"index": 0, "finish_reason": finish, "native_finish_reason": finish, "message": message}
    facts = {"id": "gen-1", "object": "chat.completion", "created": 1, "model": "meadow/lark", "provider": "Meadow"}
    return {**facts, "choices": [choice], "usage": USAGE}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return one event."""
    body = {"id": "gen-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def in_lines(event: bytes) -> bytes:
    """The event with its value in many lines of data."""
    value = json.loads(event.removeprefix(b"data: "))
    return b"data:" + json.dumps(value, indent=1).replace("\n", "\ndata:").encode() + b"\n\n"


TEXT = b"".join(events(completion(MESSAGES["text"])))
LAST = chunk({"content": ""}, None, usage=USAGE)
ERROR = {"code": 429, "message": "late"}

_FACTS = b'data: {"id": "gen-2", "provider": "Meadow"}\n\ndata: ' + json.dumps({"usage": USAGE}).encode() + b"\n\n"
WITHOUT_CHOICES = {
    "complete": _FACTS + DONE,
    "no end": _FACTS,
    "not JSON": _FACTS + b"data: {\n\n" + DONE,
    "not an object": b"data: 7\n\n" + _FACTS + DONE,
}
"""Streams whose chunks have an id and a cost, but neither choices nor an error."""

STREAMS: dict[str, bytes] = {
    **{name: b"".join(events(completion(message))) for name, message in MESSAGES.items()},
    "lines with CRLF": TEXT.replace(b"\n", b"\r\n"),
    "lines with CR": TEXT.replace(b"\n", b"\r"),
    "lines with a mixture": TEXT.replace(b"\n\n", b"\r\n\n").replace(b"PROCESSING\r\n", b"PROCESSING\r"),
    "byte order mark": b"\xef\xbb\xbf" + TEXT,
    "fields": TEXT.replace(b"data: {", b"event: message\nid: 7\nretry: 10\ndata: {"),
    "no space after the colon": TEXT.replace(b"data: ", b"data:"),
    "no blank lines": TEXT.replace(b"\n\n", b"\n"),
    "UTF-8": chunk({"content": "x"}).replace(b'"x"', '"crêpes, 寿司, \U0001f355"'.encode()) + LAST + DONE,
    "events in lines with CRLF": (in_lines(chunk({"content": "Hello."}, "stop")) + LAST + DONE).replace(b"\n", b"\r\n"),
    "events in lines": in_lines(chunk({"content": "Hel"})) + in_lines(chunk({"content": "lo."}, "stop")) + LAST + DONE,
    "split surrogates": chunk({"content": "a\ud83d"}) + chunk({"content": "\ude00\ud83d"}, "stop") + LAST + DONE,
    "parts": b"".join(chunk({"content": each}) for each in ([{"type": "text", "text": "Hel"}], "lo", "."))
    + chunk({"content": [{"type": "thinking", "thinking": "Greet"}, {"type": "text", "text": " "}]})
    + chunk({"content": [{"type": "thinking", "thinking": " them."}, {"type": "text", "text": "Bye."}]}, "stop")
    + LAST
    + DONE,
    "finish reason set back": chunk({"content": "Hi"}, "length") + chunk({}, None, usage=USAGE) + DONE,
    "error with its cost": COMMENT + chunk({"content": "Hel"}) + chunk({}, usage=USAGE, error=ERROR) + DONE,
    "error without an end": chunk({"content": "Hel"}) + chunk({}, error=ERROR),
    "error in the choice": chunk({"content": "Hel"})
    + b'data: {"choices": [{"delta": {}, "error": {"code": 502, "message": "no"}}]}\n\n'
    + DONE,
    "finish reason error": chunk({"content": "Hel"}) + chunk({}, "error", usage=USAGE) + DONE,
    "no answer": chunk({"content": ""}, "stop") + LAST + DONE,
    "content filter": chunk({"content": ""}, "content_filter") + LAST + DONE,
    "whole message": chunk({"content": "Hel"})
    + b'data: {"choices": [{"message": {"content": "Hello."}, "delta": {}, "finish_reason": "stop"}]}\n\n'
    + DONE,
    "message without its reasoning": chunk({"reasoning": "A greeting.", "content": "Hel"})
    + chunk({"tool_calls": [{**OTHER, "index": 0}]})
    + b'data: {"choices": [{"message": {"content": "Hello."}, "delta": {"content": "lo."}}]}\n\n'
    + DONE,
    "one body": b"data: " + json.dumps(completion(MESSAGES["text"])).encode() + b"\n\n" + DONE,
    "one body in lines": COMMENT + json.dumps(completion(MESSAGES["text"]), indent=1).replace(",\n", ",\n\n").encode(),
    "error as one body": b'data: {"error": {"code": 503, "message": "no"}}\n\n' + DONE,
    "no end": chunk({"content": "Hel"}) + chunk({"content": "lo."}, "stop"),
    "no end but a cost": chunk({"content": "Hel"}) + chunk({"content": "lo."}, "stop") + LAST,
    **{f"no choices, {name}": body for name, body in WITHOUT_CHOICES.items()},
    "no chunks": COMMENT + DONE,
    "not JSON": chunk({"content": "Hel"}) + b"data: {\n\n" + LAST + DONE,
    "not an object": chunk({"content": "Hel"}) + b"data: 7\n\n" + LAST + DONE,
    "not events": b"<html>\n<body>\n\nPlease stand by.</body></html>",
    "nothing": b"",
    **{path.name: path.read_bytes() for path in sorted(RECORDED.glob("0*.sse"))},
}

LIKE_TEXT = (
    "lines with CRLF",
    "lines with CR",
    "lines with a mixture",
    "byte order mark",
    "fields",
    "no space after the colon",
    "no blank lines",
)
"""The streams that differ from that of a text in their framing only."""

CONTENTS = {
    "UTF-8": "crêpes, 寿司, \U0001f355",
    "events in lines": "Hello.",
    "events in lines with CRLF": "Hello.",
    "split surrogates": "a\U0001f600?",
    "parts": "Hello. Bye.",
    "finish reason set back": "Hi",
    "whole message": "Hello.",
    "one body": MESSAGES["text"]["content"],
    "one body in lines": MESSAGES["text"]["content"],
}
"""The text of answers."""
