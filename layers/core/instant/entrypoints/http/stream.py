"""A response whose body is produced while it is sent."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any


class Stream:
    """A status, headers, and a body in chunks; whoever sends it closes it, however the sending ends."""

    def __init__(self, status: int, headers: dict[str, list[str]], chunks: Iterator[bytes]) -> None:
        """Produce `chunks` when they are asked for; a generator is closed with the response."""
        self.status = status
        self.headers = headers
        self._chunks = chunks
        self._end = ExitStack()
        if callable(close := getattr(chunks, "close", None)):
            self._end.callback(close)

    def on_close(self, callback: Callable[[], object]) -> None:
        """Have `callback` called once, when the response has ended; the last one given is called first."""
        self._end.callback(callback)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; after the last one, or when one fails, the response has ended."""
        with self:
            yield from self._chunks

    def __enter__(self) -> "Stream":
        """Close the response at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the response."""
        self.close()

    def close(self) -> None:
        """End the response; again is a no-op."""
        self._end.close()

    def buffered(self) -> dict[str, Any]:
        """The whole response at once, as API Gateway takes it."""
        body = b"".join(self).decode()
        return {"statusCode": self.status, "multiValueHeaders": self.headers, "body": body}
