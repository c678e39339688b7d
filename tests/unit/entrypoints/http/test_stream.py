"""A streamed response ends once: after its last chunk, on an error, or when it is closed."""

from collections.abc import Iterator

import pytest

from instant.entrypoints.http.stream import Stream


class ChunkError(Exception):
    """The error of a chunk."""


class Events(list[str]):
    """The events of a response, in order."""

    def chunks(self, *, fails: bool = False) -> Iterator[bytes]:
        """Yield two chunks and record the end of the generator."""
        try:
            yield b"Hel"
            if fails:
                raise ChunkError
            yield "łö".encode()
        finally:
            self.append("stopped")

    def stream(self, *, fails: bool = False) -> Stream:
        """Return a response with two callbacks."""
        stream = Stream(200, {"Content-Type": ["text/plain"]}, self.chunks(fails=fails))
        stream.on_close(lambda: self.append("first"))
        stream.on_close(lambda: self.append("second"))
        return stream


@pytest.fixture
def events() -> Events:
    return Events()


ENDED = ["stopped", "second", "first"]


def test_stream_ends_after_its_last_chunk(events: Events) -> None:
    reader = iter(events.stream())
    assert (next(reader), events) == (b"Hel", [])
    assert (next(reader), events) == ("łö".encode(), [])
    assert next(reader, None) is None
    assert events == ENDED


def test_stream_ends_on_an_error_of_a_chunk(events: Events) -> None:
    reader = iter(events.stream(fails=True))
    assert next(reader) == b"Hel"
    with pytest.raises(ChunkError):
        next(reader)
    assert events == ENDED


def test_stream_ends_when_it_is_closed_early(events: Events) -> None:
    stream = events.stream()
    assert next(iter(stream)) == b"Hel"
    stream.close()
    assert events == ENDED
    assert list(stream) == []


def test_stream_ends_when_its_reader_is_closed_early(events: Events) -> None:
    reader = iter(events.stream())
    assert next(reader) == b"Hel"
    reader.close()  # type: ignore[attr-defined]
    assert events == ENDED


def test_unread_stream_ends_when_it_is_closed(events: Events) -> None:
    events.stream().close()
    assert events == ["second", "first"]


def test_stream_ends_with_its_block(events: Events) -> None:
    def send() -> None:
        with events.stream() as stream:
            next(iter(stream))
            raise ChunkError

    with pytest.raises(ChunkError):
        send()
    assert events == ENDED


def test_stream_ends_once(events: Events) -> None:
    stream = events.stream()
    assert b"".join(stream) == "Helłö".encode()
    stream.close()
    stream.close()
    assert events == ENDED


def test_stream_runs_every_callback_despite_errors() -> None:
    called = list[str]()

    class Broken(Iterator[bytes]):
        def __next__(self) -> bytes:
            return b""

        def close(self) -> None:
            raise ChunkError

    def fail() -> None:
        called.append("failing")
        raise ValueError

    stream = Stream(200, {}, Broken())
    stream.on_close(lambda: called.append("first"))
    stream.on_close(fail)
    with pytest.raises(ValueError):  # noqa: PT011
        stream.close()
    assert called == ["failing", "first"]


def test_stream_of_an_iterator_without_close_can_be_closed() -> None:
    called = list[str]()
    stream = Stream(200, {}, iter([b"a", b"b"]))
    stream.on_close(lambda: called.append("closed"))
    stream.close()
    assert called == ["closed"]


def test_buffered_returns_the_body_and_ends_the_response(events: Events) -> None:
    assert events.stream().buffered() == {
        "statusCode": 200,
        "multiValueHeaders": {"Content-Type": ["text/plain"]},
        "body": "Helłö",
    }
    assert events == ENDED


def test_buffered_ends_the_response_on_an_error(events: Events) -> None:
    with pytest.raises(ChunkError):
        events.stream(fails=True).buffered()
    assert events == ENDED
