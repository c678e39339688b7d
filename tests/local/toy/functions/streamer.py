"""Streams what its request orders, through the product's own handler."""

import socket
from typing import Any

from instant.entrypoints.http.app import api
from instant.entrypoints.http.fields import Body
from instant.entrypoints.http.lambda_stream import streaming_handler_of
from instant.entrypoints.http.stream import Start, Stream, Write, streamed
from instant.settings import HttpSettings


class Order(Body):
    """Steps of a stream: `start`, `send <text>`, `wait <port>`, `fill <bytes>`, `fail`; without steps, a response."""

    steps: list[str] | None = None


app = api()


@app.post("/stream")
@streamed
def stream(body: Order) -> Stream | dict[str, Any]:
    """Stream the steps, or return the remaining time."""
    steps = body.steps
    return {"left": _left()} if steps is None else Stream(lambda start: _run(steps, start))


def _run(steps: list[str], start: Start) -> None:
    write: Write = _unstarted
    for step in steps:
        word, _, rest = step.partition(" ")
        match word:
            case "start":
                write = start(200, {"Content-Type": ["text/event-stream"], "X-Many": ["1", "2"]})
            case "send":
                write(rest.encode())
            case "fill":
                write(b"x" * int(rest))
            case "left":
                write(str(_left()).encode())
            case "wait":
                _wait(int(rest))
            case "fail":
                raise ValueError("a secret")


def _unstarted(piece: bytes) -> None:
    raise AssertionError("not started")


def _left() -> int:
    return int(app.lambda_context.get_remaining_time_in_millis())


def _wait(port: int) -> None:
    """Connect to the listening test and continue when it sends a message."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"here")
        connection.recv(100)
        connection.sendall(b"done")


handler = streaming_handler_of(app, HttpSettings())
