"""What the double sends back: a status, headers and pieces of body, or a connection that breaks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.openrouter.exact_json import encode

JSON_TYPE = {"Content-Type": "application/json"}


class HangUp(Exception):
    """Raised by a body while it is being sent: close the connection without finishing the answer."""


class Reset(Exception):
    """Raised by a body while it is being sent: answer the client with a TCP reset."""


@dataclass
class Reply:
    """One answer. A tuple of pieces leaves in one flush, any other iterable is flushed piece by piece.

    `raw` pieces are everything on the wire, the status line included.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] = ()
    raw: bool = False


class Refused(Exception):
    """Raised wherever a request turns out to be unacceptable; carries the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An ordinary JSON answer."""
    return Reply(status, {**JSON_TYPE, **(headers or {})}, (encode(value),))
