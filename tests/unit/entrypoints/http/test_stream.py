"""A streamed response is sent in pieces, and ends once: when it has been sent, or on an error."""

import pytest

from instant.entrypoints.http.stream import Headers, Start, Stream, Write


class RunError(Exception):
    """The error of a run."""


class Events(list[object]):
    """What a response did, in order."""

    def run(self, start: Start) -> None:
        """Send two pieces."""
        write = start(200, {"Content-Type": ["text/plain"]})
        write(b"Hel")
        write("łö".encode())
        self.append("ran")

    def fail(self, start: Start) -> None:
        """Send one piece and fail."""
        start(200, {})(b"Hel")
        raise RunError

    def start(self, status: int, headers: Headers) -> Write:
        """Record what is sent."""
        self.append((status, headers))
        return self.append

    def stream(self, *, fails: bool = False) -> Stream:
        """Return a response with two callbacks."""
        stream = Stream(self.fail if fails else self.run)
        stream.on_close(lambda: self.append("first"))
        stream.on_close(lambda: self.append("second"))
        return stream


@pytest.fixture
def events() -> Events:
    return Events()


def test_stream_sends_each_piece_before_the_next_is_produced(events: Events) -> None:
    events.stream().send(events.start)
    assert events[:4] == [(200, {"Content-Type": ["text/plain"]}), b"Hel", "łö".encode(), "ran"]


def test_stream_ends_after_its_run(events: Events) -> None:
    stream = events.stream()
    assert events == []
    stream.send(events.start)
    assert events[3:] == ["ran", "second", "first"]


def test_stream_ends_on_an_error_of_its_run(events: Events) -> None:
    with pytest.raises(RunError):
        events.stream(fails=True).send(events.start)
    assert events[2:] == ["second", "first"]


def test_stream_runs_every_callback_despite_errors(events: Events) -> None:
    def fail() -> None:
        events.append("failing")
        raise ValueError("a callback")

    stream = Stream(events.fail)
    stream.on_close(lambda: events.append("first"))
    stream.on_close(fail)
    with pytest.raises(ValueError, match="a callback"):
        stream.send(events.start)
    assert events[2:] == ["failing", "first"]


def test_buffered_returns_the_body_and_ends_the_response(events: Events) -> None:
    assert events.stream().buffered() == {
        "statusCode": 200,
        "multiValueHeaders": {"Content-Type": ["text/plain"]},
        "body": "Helłö",
    }
    assert events == ["ran", "second", "first"]


def test_buffered_ends_the_response_on_an_error(events: Events) -> None:
    with pytest.raises(RunError):
        events.stream(fails=True).buffered()
    assert events == ["second", "first"]
