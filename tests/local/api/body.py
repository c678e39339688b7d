"""The body of an HTTP request as it arrives: with a length, or in chunks with trailers."""

from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase

_PIECE = 1 << 20


class Body:
    """Iterates the pieces of a body: each chunk as it arrives, or pieces of at most 1 MB.

    Raises ConnectionError if the sender ends too early. `trailers` are complete after the last piece.
    """

    def __init__(self, file: BufferedIOBase, headers: Message) -> None:
        """Read from `file` after these headers."""
        self._file = file
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._length = int(headers.get("Content-Length") or 0)
        self.trailers: dict[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the pieces once."""
        return self._chunks() if self._chunked else self._pieces(self._length)

    def _pieces(self, length: int) -> Iterator[bytes]:
        while length > 0:
            piece = self._file.read(min(length, _PIECE))
            if not piece:
                raise ConnectionError("the body is cut off")
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield from self._pieces(size)
            self._line()
        while line := self._line().strip():
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the body is cut off")
        return line
