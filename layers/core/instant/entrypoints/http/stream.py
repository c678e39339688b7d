"""A streamed response."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any


class Stream:
    """A status, headers, and a body in chunks; the sender must close it."""

    def __init__(self, status: int, headers: dict[str, list[str]], chunks: Iterator[bytes]) -> None:
        """Iterate `chunks` lazily; a generator is closed with the response."""
        self.status = status
        self.headers = headers
        self._chunks = chunks
        self._end = ExitStack()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call `callback` once when the response ends; callbacks run in reverse order of registration."""
        self._end.callback(callback)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the chunks; the response ends after the last one or on an error."""
        with self:
            yield from self._chunks

    def __enter__(self) -> "Stream":
        """Close the response at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the response."""
        self.close()

    def close(self) -> None:
        """Close the chunks, then end the response; a second call does nothing."""
        with self._end.pop_all():
            if callable(close := getattr(self._chunks, "close", None)):
                close()

    def buffered(self) -> dict[str, Any]:
        """The buffered response in the format of API Gateway."""
        body = b"".join(self).decode()
        return {"statusCode": self.status, "multiValueHeaders": self.headers, "body": body}
