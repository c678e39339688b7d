"""Streams of the built function under the runtime client of its layer: each chunk is passed on as it arrives."""

from collections.abc import Iterator

import pytest

from tests.integration.streams.served import Served, served
from tests.local.functions.layout import Built

pytestmark = pytest.mark.e2e

PROMPT = "Say hello to the sea."


@pytest.fixture(scope="module")
def running(built: Built) -> Iterator[Served]:
    """A stack with the built functions."""
    with served(built) as running:
        yield running


def test_built_function_passes_each_chunk_on_and_goes_on_without_its_reader(running: Served) -> None:
    holds = [running.fake.hold_stream(after) for after in (1, 2)]
    with running.stream(PROMPT) as reader:
        start = reader.next()
        received = []
        for hold in holds:
            assert hold.wait_until_reached()
            received.append(reader.next())
            if hold.after == 1:
                hold.release()
        assert (reader.status, start and start.name) == (200, "start")
    holds[1].release()
    last = received[-1]
    assert start
    assert last
    with running.resumed(start.json["execution_id"], last.id) as reader:
        rest = [event for event in reader.rest() if event.name]
    texts = [event.json["text"] for event in (*received, *rest) if event and event.name == "delta"]
    assert "".join(texts) == rest[-1].json["output"]["content"]
    assert (rest[-1].name, len(running.fake.chat_requests)) == ("done", 1)


def test_built_function_sends_an_error_before_the_first_event_with_its_own_status(running: Served) -> None:
    with running.stream("[[fake: error 402]]") as reader:
        assert (reader.status, reader.json["error"]["code"]) == (409, "credits_exhausted")
