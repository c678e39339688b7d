"""Answers that arrive as a stream of chunks although one body was requested."""

import json

import pytest

from instant.domain.errors import RateLimited, UpstreamError
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Failure
from instant.integrations.openrouter.chat import read_chat
from tests.fakes.openrouter.chat.stream import COMMENT, DONE, events
from tests.unit.integrations.streams.bodies import MESSAGES, RECORDED, USAGE, chunk, completion


def reply(body: bytes) -> Reply:
    """Return a response with these bytes."""
    return Reply(status=200, body=body)


@pytest.mark.parametrize("name", MESSAGES)
def test_event_stream_is_read_like_one_body(name: str) -> None:
    whole = completion(MESSAGES[name])
    assert read_chat(reply(b"".join(events(whole)))) == read_chat(reply(json.dumps(whole).encode()))


def test_event_stream_of_one_chunk_is_read() -> None:
    answer = read_chat(reply(chunk({"content": "Hello."}, "stop", usage=USAGE) + DONE))
    assert (answer.output["content"], answer.receipt.cost_nanousd) == ("Hello.", 340)


def test_event_stream_keeps_the_first_finish_reason() -> None:
    body = chunk({"content": "Hel"}) + chunk({"content": "lo."}, "length") + chunk({}, None, usage=USAGE) + DONE
    answer = read_chat(reply(body))
    assert (answer.output["content"], answer.receipt.finish_reason) == ("Hello.", "length")


def test_event_stream_joins_calls_without_an_index() -> None:
    first, second = ({"id": name, "function": {"name": name, "arguments": {"n": 1}}} for name in "ab")
    body = (
        chunk({"tool_calls": [first, second]})
        + chunk({"tool_calls": [None, {"function": {"name": "c"}}]}, "stop")
        + DONE
    )
    content = read_chat(reply(body)).output["content"]
    assert isinstance(content, dict)
    assert [(call["name"], call["arguments"]) for call in content["tool_calls"]] == [
        ("a", '{"n": 1}'),
        ("b", '{"n": 1}'),
        ("c", "{}"),
    ]


def test_event_stream_prefers_a_whole_message_to_its_deltas() -> None:
    whole = {"choices": [{"message": {"content": "Hello."}, "delta": {}, "finish_reason": "stop"}]}
    body = chunk({"content": "Hel"}) + chunk({"content": "lo."}) + f"data: {json.dumps(whole)}\n\n".encode() + DONE
    assert read_chat(reply(body)).output["content"] == "Hello."


def test_event_stream_joins_contents_in_parts() -> None:
    parts = [[{"type": "text", "text": "Hel"}], "lo", [{"type": "text", "text": "."}]]
    body = b"".join(chunk({"content": content}) for content in parts) + DONE
    assert read_chat(reply(body)).output["content"] == "Hello."


def test_event_stream_joins_a_split_surrogate_pair() -> None:
    answer = read_chat(reply(chunk({"content": "a\ud83d"}) + chunk({"content": "\ude00\ud83d"}, "stop") + DONE))
    assert answer.output["content"] == "a\U0001f600?"


def test_event_stream_with_an_error_is_a_failure_with_its_cost() -> None:
    error = {"code": 429, "message": "late"}
    with pytest.raises(Failure) as caught:
        read_chat(reply(COMMENT + chunk({"content": "Hel"}) + chunk({}, usage=USAGE, error=error) + DONE))
    assert type(caught.value.error) is RateLimited
    assert caught.value.receipt is not None
    assert caught.value.receipt.cost_nanousd == 340


@pytest.mark.parametrize(
    "body",
    [
        chunk({"content": "Hel"}),
        chunk({"content": "Hel"}) + chunk({"content": "lo"}) + b"data: {",
        chunk({"content": "Hel"}) + b"data: 7\n\n" + DONE,
        b"data: {}\n\ndata: {}\n\n" + DONE,
        COMMENT + DONE,
    ],
)
def test_event_stream_that_is_not_complete_has_an_unknown_outcome(body: bytes) -> None:
    with pytest.raises(Failure) as caught:
        read_chat(reply(body))
    assert type(caught.value.error) is UpstreamError
    assert caught.value.outcome_unknown


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not part of the repository")
def test_event_stream_recordings_are_read() -> None:
    text = read_chat(reply((RECORDED / "05-stream-text.response.sse").read_bytes()))
    assert (text.output["content"], text.receipt.cost_nanousd) == ("1\n2\n3", 60_000)
    reasoned = read_chat(reply((RECORDED / "08-stream-reasoning.response.sse").read_bytes()))
    assert (reasoned.receipt.cost_nanousd, reasoned.receipt.finish_reason) == (669_000, "stop")
    assert reasoned.output["reasoning"]
    with pytest.raises(Failure):
        read_chat(reply((RECORDED / "07-stream-midstream-error.response.sse").read_bytes()))
