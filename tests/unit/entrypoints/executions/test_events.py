"""The events of a streamed execution, and when their response begins."""

import json
from typing import Any

import pytest

from instant.domain.errors import UpstreamError
from instant.domain.executions.execution import Execution, State
from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.json_values import json_text
from instant.entrypoints.executions.event_stream import MAX_PIECE, EventStream
from instant.entrypoints.executions.events import ExecutionEvents
from instant.entrypoints.http.stream import Headers, Write
from tests.fakes.builders import a_prepared
from tests.fakes.clock import FakeClock

ADDRESS = "https://api.example/test"


class Sent(list[str]):
    """What a client has received."""

    def __init__(self) -> None:
        """Nothing has arrived."""
        super().__init__()
        self.clock = FakeClock()
        self.heads: list[tuple[int, Headers]] = []
        self.renewals = 0
        self.events = ExecutionEvents(EventStream(self.start, self.clock, renew_lease=self.renew), ADDRESS)

    def start(self, status: int, headers: Headers) -> Write:
        """Receive the status and the headers."""
        self.heads.append((status, headers))
        return lambda piece: self.append(piece.decode())

    def renew(self) -> None:
        """Count the call."""
        self.renewals += 1

    def wait(self, seconds: int) -> None:
        """Let seconds pass, one after the other."""
        for _ in range(seconds):
            self.clock.pass_seconds(1)
            self.events.idle()


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def started(sent: Sent) -> Sent:
    """What a client has received after the first event, which is left out."""
    sent.events.prepared(a_prepared())
    sent.events.started()
    sent.clear()
    return sent


@pytest.mark.parametrize("length", [MAX_PIECE - 11, MAX_PIECE - 10, 3 * MAX_PIECE, 1_000_000])
def test_long_event_is_sent_in_pieces(started: Sent, length: int) -> None:
    text = "é" * length
    started.events.delta(Delta(text=text))
    assert "".join(started) == f'event: delta\nid: {length}\ndata: {{"text":"{text}"}}\n\n'
    assert max(map(len, started)) <= MAX_PIECE + 100


def test_response_begins_with_the_first_event(sent: Sent) -> None:
    sent.events.prepared(a_prepared("exe_7"))
    assert sent.heads == []
    sent.events.started()
    assert sent.heads == [(200, {"Content-Type": ["text/event-stream"]})]
    model = a_prepared().model
    assert sent == [f'event: start\ndata: {{"execution_id":"exe_7","model":"{model}"}}\n\n']


def test_continued_stream_begins_with_the_same_event(sent: Sent) -> None:
    execution = Execution(
        execution_id="exe_7",
        user_id="user_alice",
        resource_id="res_1",
        resource_revision=1,
        state=State.SENT,
        created_at="2026-11-22T20:17:24.000123Z",
        model="juniper/quill-7b",
    )
    sent.events.joined(execution)
    sent.events.started()
    assert sent == ['event: start\ndata: {"execution_id":"exe_7","model":"juniper/quill-7b"}\n\n']


def test_response_begins_with_a_comment_after_ten_seconds(sent: Sent) -> None:
    sent.events.prepared(a_prepared())
    sent.wait(9)
    assert (sent, sent.heads) == ([], [])
    sent.wait(1)
    assert (sent, len(sent.heads)) == ([": keep-alive\n\n"], 1)
    sent.events.started()
    assert (sent[1].split("\n")[0], len(sent.heads)) == ("event: start", 1)


def test_comments_are_sent_after_ten_seconds_without_an_event(started: Sent) -> None:
    started.wait(9)
    started.events.delta(Delta(text="a"))
    started.wait(9)
    assert started == ['event: delta\nid: 1\ndata: {"text":"a"}\n\n']
    started.wait(1)
    assert started[1:] == [": keep-alive\n\n"]
    started.wait(9)
    assert started[1:] == [": keep-alive\n\n"]
    started.wait(1)
    assert started[1:] == [": keep-alive\n\n"] * 2


def test_lease_is_renewed_before_and_after_the_first_event(sent: Sent) -> None:
    sent.wait(3)
    sent.events.started()
    sent.wait(2)
    assert sent.renewals == 5


def test_ids_count_the_code_points_of_the_text(started: Sent) -> None:
    for text in ("Zażółć", "\n\r", "👩‍🚀", "\u2028"):
        started.events.delta(Delta(text=text))
    assert [each.split("\n")[1] for each in started] == ["id: 6", "id: 8", "id: 11", "id: 12"]
    lines = [line for each in started for line in each.splitlines() if line.startswith("data: ")]
    assert started[1].count("\n") == 4
    assert json.loads(lines[0].removeprefix("data: ")) == {"text": "Zażółć"}


def test_deltas_have_one_line(started: Sent) -> None:
    """Some clients read lines as `str.splitlines` does."""
    text = "a\nb\r\u2028\u2029\x85\x0b\x1c"
    started.events.delta(Delta(text=text))
    started.events.delta(Delta(reasoning=text))
    assert [len(each.removesuffix("\n\n").splitlines()) for each in started] == [3, 3]
    assert json.loads(started[0].splitlines()[2].removeprefix("data: ")) == {"text": text}


def test_ids_continue_where_the_client_is() -> None:
    sent = Sent()
    events = ExecutionEvents(EventStream(sent.start, sent.clock), ADDRESS, position=5)
    events.delta(Delta(text="abc"))
    assert sent == ['event: delta\nid: 8\ndata: {"text":"abc"}\n\n']


def test_other_deltas_repeat_the_id(started: Sent) -> None:
    started.events.delta(Delta(text="ab"))
    started.events.delta(Delta(reasoning="because"))
    started.events.delta(Delta(tool_call=ToolCallPiece(index=1, id="call_1", name="look", arguments="{")))
    started.events.delta(Delta(tool_call=ToolCallPiece(index=1, arguments="}")))
    assert started[1:] == [
        'event: delta\nid: 2\ndata: {"reasoning":"because"}\n\n',
        'event: delta\nid: 2\ndata: {"tool_call":{"index":1,"id":"call_1","name":"look","arguments":"{"}}\n\n',
        'event: delta\nid: 2\ndata: {"tool_call":{"index":1,"arguments":"}"}}\n\n',
    ]


@pytest.mark.parametrize("text", ["abc", ""])
def test_text_that_replaces_the_text_begins_the_count_anew(started: Sent, text: str) -> None:
    started.events.delta(Delta(text="abcde"))
    started.events.delta(Delta(reasoning="all", replace=True))
    started.events.delta(Delta(text=text, replace=True))
    assert started[1:] == [
        'event: delta\nid: 5\ndata: {"reasoning":"all","replace":true}\n\n',
        f'event: delta\nid: {len(text)}\ndata: {{"text":"{text}","replace":true}}\n\n',
    ]


def test_image_is_a_link(started: Sent) -> None:
    started.events.image("/api/images/img_1", "image/png")
    assert started == [f'event: image\ndata: {{"url":"{ADDRESS}/api/images/img_1","media_type":"image/png"}}\n\n']


def test_text_has_links_like_the_response(started: Sent) -> None:
    path = "/api/images/img_1"
    link = ADDRESS + path
    started.events.delta(Delta(text="A boat: "))
    started.events.image(path, "image/png")
    started.events.delta(Delta(text=f"![]({path})"))
    started.events.delta(Delta(text=f"Here: {path}", replace=True))
    assert started[2:] == [
        f'event: delta\nid: {len(f"A boat: ![]({link})")}\ndata: {{"text":"![]({link})"}}\n\n',
        f'event: delta\nid: {len(f"Here: {link}")}\ndata: {{"text":"Here: {link}","replace":true}}\n\n',
    ]


def test_done_is_what_a_call_without_a_stream_answers(started: Sent) -> None:
    output = {"type": "image", "content": "ł", "urls": ["/api/images/img_1"]}
    stored: dict[str, Any] = {"success": True, "execution_id": "exe_1", "output": output, "stream": {"text": "private"}}
    started.events.done(stored)
    linked = {**output, "urls": [f"{ADDRESS}/api/images/img_1"]}
    answer = json_text({"success": True, "execution_id": "exe_1", "output": linked})
    assert started == [f"event: done\ndata: {answer}\n\n"]


def failed() -> UpstreamError:
    return UpstreamError("The service failed.").during("exe_1")


def test_error_before_the_first_event_is_raised(sent: Sent) -> None:
    sent.events.prepared(a_prepared())
    with pytest.raises(UpstreamError), sent.events.reporting_errors():
        raise failed()
    assert (sent, sent.heads) == ([], [])


def test_error_after_the_first_event_is_an_event(started: Sent) -> None:
    with started.events.reporting_errors():
        raise failed()
    assert started == [f"event: error\ndata: {json.dumps(failed().body(), separators=(',', ':'))}\n\n"]


def test_error_after_a_comment_is_an_event(sent: Sent) -> None:
    sent.wait(10)
    with sent.events.reporting_errors():
        raise failed()
    assert (sent[1].split("\n")[0], len(sent.heads)) == ("event: error", 1)


def test_unexpected_error_is_logged_and_says_nothing(started: Sent, caplog: pytest.LogCaptureFixture) -> None:
    with started.events.reporting_errors():
        raise ValueError("a secret")
    assert '"code":"internal"' in started[0]
    assert "secret" not in started[0]
    assert "unexpected failure" in caplog.text
