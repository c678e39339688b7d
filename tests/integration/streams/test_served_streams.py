"""Streams over HTTP in the local stack: each event leaves before the next one exists, and no answer is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.media import PAINTER
from tests.integration.streams.served import Event, Reader, Served, served
from tests.local.toy.calling import call

PROMPT = "Say hello to the sea."
CHUNKS = 8
"""The chunks of the text of the answer to this prompt."""


@pytest.fixture(scope="module")
def module_served() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def running(module_served: Served) -> Served:
    """The running stack, whose fake has forgotten earlier requests."""
    module_served.fake.forget_requests()
    return module_served


def text_of(events: list[Event]) -> str:
    """Return the text of the deltas."""
    text = ""
    for event in events:
        if event.name == "delta" and "text" in event.json:
            text = event.json["text"] if event.json.get("replace") else text + event.json["text"]
    return text


def begun(reader: Reader) -> str:
    """Read the first event; return the id of the execution."""
    event = reader.next()
    assert event
    assert event.name == "start"
    return str(event.json["execution_id"])


def execution(running: Served, execution_id: str) -> dict[str, Any]:
    """Return the execution as the API shows it."""
    return dict(running.call("GET", f"/api/executions/{execution_id}").json)


def ended(running: Served, execution_id: str, last: str | None = None) -> list[Event]:
    """Continue the stream to its end; return its events without the first one."""
    with running.resumed(execution_id, last) as reader:
        assert reader.status == 200
        events = [event for event in reader.rest() if event.name]
    assert (events[0].name, events[0].json["execution_id"]) == ("start", execution_id)
    return events[1:]


def test_status_arrives_with_the_first_byte_of_the_service(running: Served) -> None:
    hold = running.fake.hold_stream(after=0)
    with running.stream(PROMPT) as reader:
        assert (reader.status, reader.headers["Content-Type"]) == (200, "text/event-stream")
        assert begun(reader).startswith("exe_")
        hold.release()
        assert reader.rest()[-1].name == "done"


def test_each_event_leaves_before_the_next_chunk_arrives(running: Served) -> None:
    holds = [running.fake.hold_stream(after) for after in range(1, CHUNKS)]
    with running.stream(PROMPT) as reader:
        begun(reader)
        events = []
        for hold in holds:
            assert hold.wait_until_reached()
            event = reader.next()
            assert event
            events.append(event)
            hold.release()
        events += reader.rest()
    assert [event.name for event in events] == ["delta"] * CHUNKS + ["done"]
    assert text_of(events) == events[-1].json["output"]["content"]
    assert [int(event.id or 0) for event in events[:-1]] == [len(text_of(events[:n])) for n in range(1, CHUNKS + 1)]


@pytest.mark.parametrize("directive", ["error 400", "error 401", "error 402", "error 403"])
def test_error_before_the_first_event_has_its_own_status(running: Served, directive: str) -> None:
    prompt = f"[[fake: {directive}]]"
    body = {"resource_id": running.resource_id, "inputs": {"prompt": prompt}}
    buffered = running.call("POST", "/api/execute", body)
    running.connect()
    with running.stream(prompt) as reader:
        assert (reader.status, reader.headers["Content-Type"]) == (buffered.status, "application/json")
        ours, theirs = reader.json["error"], buffered.json["error"]
    running.connect()
    assert {**ours, "execution_id": ""} == {**theirs, "execution_id": ""}
    assert reader.headers["Retry-After"] == buffered.headers["Retry-After"]


def test_invalid_request_has_its_own_status(running: Served) -> None:
    reply = running.call("POST", "/api/execute/stream", {"resource_id": running.resource_id, "inputs": {}})
    assert (reply.status, reply.json["error"]["code"]) == (422, "invalid_field")
    reply = running.call("GET", "/api/executions/exe_none/stream")
    assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
    reply = running.call("GET", "/api/executions/exe_none/stream", None, **{"Last-Event-ID": "-1"})
    assert (reply.status, reply.json["error"]["code"]) == (422, "invalid_field")


@pytest.mark.parametrize("directive", ["midstream-error", "no-done"])
def test_error_after_the_first_event_is_an_event(running: Served, directive: str) -> None:
    with running.stream(f"Say hello. [[fake: {directive}]]") as reader:
        execution_id = begun(reader)
        *events, last = reader.rest()
    assert {event.name for event in events} == {"delta"}
    error = last.json["error"]
    assert (last.name, error["execution_id"]) == ("error", execution_id)
    assert execution(running, execution_id)["error_code"] == error["code"]
    repeat = running.call("GET", f"/api/executions/{execution_id}/stream")
    assert (repeat.status >= 400, repeat.json["error"]["code"]) == (True, error["code"])


def test_done_is_what_a_call_without_a_stream_answers(running: Served) -> None:
    body = {"resource_id": running.resource_id, "inputs": {"prompt": PROMPT}}
    whole = running.call("POST", "/api/execute", body).json
    with running.stream(PROMPT) as reader:
        done = reader.rest()[-1].json
    assert {**done, "execution_id": ""} == {**whole, "execution_id": ""}
    assert list(done) == list(whole)


@pytest.mark.parametrize("number", range(CHUNKS + 1))
def test_answer_is_recorded_and_readable_if_its_reader_leaves(running: Served, number: int) -> None:
    hold = running.fake.hold_stream(after=number)
    with running.stream(PROMPT) as reader:
        execution_id = begun(reader)
        received = [event for event in (reader.next() for _ in range(number)) if event]
        assert hold.wait_until_reached()
    hold.release()
    rest = ended(running, execution_id, received[-1].id if received else None)
    *deltas, done = received + rest
    assert (done.name, text_of(deltas)) == ("done", done.json["output"]["content"])
    found = execution(running, execution_id)
    assert (found["status"], found["output"]) == ("DONE", done.json["output"])
    assert found["usage"]["cost_usd"] == done.json["usage"]["cost_usd"]
    assert (len(running.fake.chat_requests), running.fake.hang_ups) == (1, [])


def test_stream_can_be_continued_after_each_event(running: Served) -> None:
    with running.stream(PROMPT) as reader:
        execution_id = begun(reader)
        events = reader.rest()
    for number in range(len(events)):
        last = events[number - 1].id if number else None
        rest = ended(running, execution_id, last)
        assert rest[-1] == events[-1], "done is byte-identical"
        assert text_of(events[:number]) + text_of(rest) == text_of(events)
    replaced = ended(running, execution_id, "1000")
    assert replaced[0].json == {"text": text_of(events), "replace": True}


def test_repeat_with_the_same_key_joins_the_first_stream(running: Served) -> None:
    def streamed() -> list[Event]:
        with running.stream(PROMPT, **{"Idempotency-Key": "joined"}) as reader:
            return [event for event in reader.rest() if event.name]

    hold = running.fake.hold_stream(after=2)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(streamed)
        assert hold.wait_until_reached()
        second = threads.submit(streamed)
        hold.release()
    for events in (second.result(), streamed()):
        assert (events[0], events[-1]) == (first.result()[0], first.result()[-1])
        assert text_of(events) == text_of(first.result())
    assert len(running.fake.chat_requests) == 1


def test_stream_is_cancelled(running: Served) -> None:
    running.fake.hold_stream(after=2)
    with running.stream(PROMPT) as reader:
        execution_id = begun(reader)
        assert running.call("POST", f"/api/executions/{execution_id}/cancel").status == 202
        last = reader.rest()[-1]
    assert (last.name, last.json["error"]["code"], last.json["error"]["execution_id"]) == (
        "error",
        "cancelled",
        execution_id,
    )
    assert running.fake.wait_for_hang_up()


@pytest.mark.parametrize("is_in_text", [False, True])
def test_images_arrive_as_links(running: Served, *, is_in_text: bool) -> None:
    prompt = "A boat. [[fake: picture png]]" + " [[fake: in-words]]" * is_in_text
    with running.stream(prompt, resource_id=running.resource(PAINTER)) as reader:
        execution_id = begun(reader)
        events = reader.rest()
    (image,) = (event for event in events if event.name == "image")
    output = events[-1].json["output"]
    assert (image.json["media_type"], output["urls"]) == ("image/png", [image.json["url"]])
    assert text_of(events) == (output["content"] or "")
    assert (image.json["url"] in text_of(events)) == is_in_text
    link = call(image.json["url"], "GET", "", Authorization=f"Bearer {running.token}")
    assert link.status == 302
    for number in range(len(events)):
        last = next((event.id for event in reversed(events[:number]) if event.id), None)
        rest = ended(running, execution_id, last)
        assert [event for event in rest if event.name != "delta"] == [image, events[-1]]
        assert text_of([*events[:number], *rest]) == text_of(events)
