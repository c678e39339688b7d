"""A streamed response: a function sends its status and headers, then its body in pieces."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from inspect import Signature, signature
from typing import Any

from aws_lambda_powertools.event_handler import Response

type Headers = dict[str, list[str]]
type Write = Callable[[bytes], object]
"""Sends the next piece of the body."""

type Start = Callable[[int, Headers], Write]
"""Sends status and headers; returns the function that sends the body."""

type Run = Callable[[Start], object]
"""Produces a response: calls `start` once, then the function that `start` returned with each piece of the body.

An error that it raises before `start` is sent as an ordinary error response.
"""


class Stream:
    """A response that is produced while it is sent, in the thread that sends it."""

    def __init__(self, run: Run) -> None:
        """Call `run` when the response is sent."""
        self._run = run
        self._end = ExitStack()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the response has ended, also on an error, in reverse order of registration."""
        self._end.callback(callback)

    def send(self, start: Start) -> None:
        """Send the response through `start`; return when it has ended."""
        with self._end.pop_all():
            self._run(start)

    def buffered(self) -> dict[str, Any]:
        """The whole response in the format of API Gateway."""
        sent, body = dict[str, Any](), bytearray()

        def start(status: int, headers: Headers) -> Write:
            sent.update(statusCode=status, multiValueHeaders=headers)
            return body.extend

        self.send(start)
        return {**sent, "body": body.decode()}


def streamed[**P](route: Callable[P, Any]) -> Callable[P, Any]:
    """A route that can return a `Stream`; other responses are sent as they are.

    A stream runs when its route has returned, so what it needs of the request must be read in the route. The router
    validates what it knows the type of: this route has none.
    """

    @wraps(route)
    def respond(*args: P.args, **named: P.kwargs) -> Any:
        response = route(*args, **named)
        return Response(200, "application/octet-stream", response) if isinstance(response, Stream) else response

    untyped = signature(route).replace(return_annotation=Signature.empty)
    respond.__signature__ = untyped  # type: ignore[attr-defined]
    return respond
