"""The directives that change how a reply is sent: delayed, truncated, invalid, endless or aborted."""

import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from threading import Event

from tests.fakes.openrouter.chat.directives import Directive, unknown
from tests.fakes.openrouter.chat.stream import COMMENT, EVENT_HEADERS
from tests.fakes.openrouter.reply import HangUp, Piece, Reply, Reset

BLANK_LINES = b"\n         \n"
# Seconds between two lines of an endless reply.
DRIP = 0.02
_SHRED = 7

Fault = Callable[[Reply, Directive, Event], Reply]


def deliver(reply: Reply, directives: Sequence[Directive], stopping: Event) -> Reply:
    """Apply the faults of the directives to a reply, in order."""
    for directive in directives:
        fault = _FAULTS.get(directive.name)
        if fault:
            reply = fault(reply, directive, stopping)
    return reply


def _slow(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    try:
        seconds = float(directive.argument)
    except ValueError:
        raise unknown(directive) from None

    def pieces() -> Iterator[Piece]:
        if stopping.wait(seconds):
            raise HangUp
        yield from reply.pieces

    return replace(reply, pieces=pieces())


def _gzip(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return replace(reply, headers=headers, pieces=(gzip.compress(_body(reply), 1),))


def _body(reply: Reply) -> bytes:
    return b"".join(piece for piece in reply.pieces if isinstance(piece, bytes))


def _half(reply: Reply) -> bytes:
    body = _body(reply)
    return body[: len(body) // 2]


def _cut_json(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    return replace(reply, pieces=(_half(reply),))


def _truncated(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    return replace(reply, pieces=_then(HangUp(), _half(reply)))


def _not_json(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    return replace(reply, pieces=(b"<html><body>Please stand by.</body></html>",))


def _hang_up(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    return replace(reply, pieces=_then(HangUp()))


def _reset(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    return replace(reply, pieces=_then(Reset()))


def _then(end: Exception, *pieces: bytes) -> Iterator[bytes]:
    """Yield the pieces, then raise `end`."""
    yield from pieces
    raise end


def _shred(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    def pieces() -> Iterator[Piece]:
        for piece in reply.pieces:
            if isinstance(piece, Event):
                yield piece
            else:
                yield from (piece[at : at + _SHRED] for at in range(0, len(piece), _SHRED))

    return replace(reply, pieces=pieces())


def _crlf(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    def pieces() -> Iterator[Piece]:
        for piece in reply.pieces:
            yield piece if isinstance(piece, Event) else piece.replace(b"\n", b"\r\n")

    return replace(reply, pieces=pieces())


def _drip(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    streams = reply.headers.get("Content-Type") == EVENT_HEADERS["Content-Type"]
    return replace(reply, pieces=_endless(itertools.repeat(COMMENT if streams else BLANK_LINES), stopping))


def _drip_headers(reply: Reply, directive: Directive, stopping: Event) -> Reply:
    lines = (f"X-Drip: {number}\r\n".encode() for number in itertools.count())
    pieces = _endless(itertools.chain([b"HTTP/1.1 200 OK\r\n"], lines), stopping)
    return replace(reply, pieces=pieces, raw=True)


def _endless(lines: Iterable[bytes], stopping: Event) -> Iterator[bytes]:
    for line in lines:
        yield line
        if stopping.wait(DRIP):
            raise HangUp


_FAULTS: dict[str, Fault] = {
    "slow": _slow,
    "gzip": _gzip,
    "cut-json": _cut_json,
    "truncated": _truncated,
    "not-json": _not_json,
    "hang-up": _hang_up,
    "reset": _reset,
    "shred": _shred,
    "crlf": _crlf,
    "drip": _drip,
    "drip-headers": _drip_headers,
}
