"""Replies of the fake: status, headers and body pieces, or a connection error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from tests.fakes.openrouter.exact_json import encode

JSON_TYPE = {"Content-Type": "application/json"}

Piece = bytes | Event
"""What a reply consists of: bytes to send, and events to wait for."""


class HangUp(Exception):
    """Raised by a body while it is sent: close the connection without completing the reply."""


class Reset(Exception):
    """Raised by a body while it is sent: close the connection with a TCP reset."""


@dataclass
class Reply:
    """One reply. A tuple of pieces is sent in one flush, any other iterable is flushed piece by piece.

    The rest of a reply waits for an event among its pieces; meanwhile the client may disconnect.

    With `raw`, the pieces contain the whole response, including the status line.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[Piece] = ()
    raw: bool = False


class Refused(Exception):
    """The request is rejected with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON reply."""
    return Reply(status, {**JSON_TYPE, **(headers or {})}, (encode(value),))
