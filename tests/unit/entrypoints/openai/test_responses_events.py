"""Typed events of a streamed response: they add up to the response of the buffered call."""

import json
from dataclasses import replace
from typing import Any

import pytest

from instant.domain.errors import OutcomeUnknown
from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.validation import parse
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.stream import Headers, Write
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.events import ResponseEvents
from instant.entrypoints.openai.responses.request import responses_request
from instant.entrypoints.openai.responses.response import ResponseWriter
from tests.fakes.builders import a_prepared
from tests.fakes.clock import FakeClock
from tests.unit.entrypoints.openai.stored import EXECUTION_ID, stored, stored_message

ADDRESS = "https://api.example/test"
IMAGE = "/api/images/img_01JD0000000000000000000000"
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"q": 1}'}}
ENDS = {
    "output_text": "text",
    "reasoning_summary_text": "text",
    "function_call_arguments": "arguments",
    "refusal": "refusal",
}
"""The member with the whole text of each kind of event that ends a text."""


class Client:
    """A client that reads a stream."""

    def __init__(self) -> None:
        """Request a stream."""
        self.pieces: list[str] = []
        self.headers: Headers = {}
        self.clock = FakeClock()
        body = parse(ResponsesBody, {"model": "u1/haiku", "input": "Hello.", "max_output_tokens": 5}, "")
        self.writer = ResponseWriter(body, 1, ADDRESS)
        stream = EventStream(self._start, self.clock)
        self.events = ResponseEvents(stream, responses_request(body, None), self.writer)

    def _start(self, status: int, headers: Headers) -> Write:
        self.headers = dict(headers)
        assert status == 200
        return lambda piece: self.pieces.append(piece.decode())

    @property
    def data(self) -> list[Any]:
        """The data of every event."""
        blocks = [block for block in "".join(self.pieces).split("\n\n") if block and block[0] != ":"]
        return [json.loads(block.partition("\ndata: ")[2]) for block in blocks]

    @property
    def types(self) -> list[str]:
        """The types of all events."""
        return [event["type"].removeprefix("response.") for event in self.data]

    def of(self, kind: str) -> list[Any]:
        """The events of a type."""
        return [event for event in self.data if event["type"] == f"response.{kind}"]

    def output(self) -> list[Any]:
        """The items as they began, with what the pieces add, by their ids."""
        items = {event["item"]["id"]: event["item"] for event in self.of("output_item.added")}
        for event in self.data:
            if event["type"].endswith("part.added"):
                place = "content" if "content_index" in event else "summary"
                items[event["item_id"]][place].append(event["part"])
            elif event["type"].endswith(".delta"):
                _add(items[event["item_id"]], event)
            elif event["type"].endswith("annotation.added"):
                items[event["item_id"]]["content"][event["content_index"]]["annotations"].append(event["annotation"])
        return [*items.values()]


def _add(item: Any, event: Any) -> None:
    kind = event["type"].split(".")[1]
    if kind == "function_call_arguments":
        item["arguments"] += event["delta"]
    elif kind == "reasoning_summary_text":
        item["summary"][event["summary_index"]]["text"] += event["delta"]
    else:
        item["content"][event["content_index"]][ENDS[kind]] += event["delta"]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.events.prepared(a_prepared(EXECUTION_ID))
    return client


RESPONSES = {
    "text": stored(),
    "no text": stored({"type": "text", "content": None}),
    "json": stored_message({"content": '{"a": 1.10}'}, wants_json=True),
    "tool calls": stored_message({"content": "Let me.", "tool_calls": [CALL, {**CALL, "id": None}]}),
    "only tool calls": stored_message({"content": None, "tool_calls": [CALL]}),
    "refusal": stored_message({"content": None, "refusal": "I cannot."}),
    "text and refusal": stored({"type": "text", "content": "Well.", "refusal": "I cannot."}),
    "reasoning": stored(
        {"type": "text", "content": "4", "reasoning": "2 + 2", "reasoning_details": [{"type": "reasoning.text"}]}
    ),
    "hidden reasoning": stored({"type": "text", "content": "4", "reasoning_details": [{"data": "x"}]}),
    "image": stored({"type": "image", "content": f"See {IMAGE}.", "urls": [IMAGE]}),
    "only images": stored({"type": "image", "content": None, "urls": [IMAGE]}),
    "citations": stored({"type": "text", "content": "x", "citations": [{"url": "https://a.example", "title": "A"}]}),
    "truncated": stored(finish_reason="length"),
    "filtered": stored(finish_reason="content_filter"),
}


def visible(items: list[Any]) -> list[Any]:
    """Return the items without what pieces do not add."""
    return [{name: item[name] for name in item if name != "status"} for item in items]


@pytest.mark.parametrize("name", RESPONSES)
def test_answer_that_was_not_sent_in_pieces_is_sent_at_the_end(client: Client, name: str) -> None:
    client.events.done(RESPONSES[name])
    whole = json.loads(client.writer.text(RESPONSES[name]))
    assert client.data[-1]["response"] == whole
    assert client.types[-1] == whole["status"]
    assert [event["item"] for event in client.of("output_item.done")] == whole["output"]
    assert visible(client.output()) == visible(whole["output"])
    assert {event["item"]["status"] for event in client.of("output_item.added")} == {"in_progress"}


def test_pieces_add_up_to_the_answer(client: Client) -> None:
    calls = [{"id": "call_1", "name": "look_up", "arguments": '{"q": 1}'}]
    output = {"type": "image", "content": f"See {IMAGE}.", "urls": [IMAGE], "reasoning": "I see.", "tool_calls": calls}
    response = stored(output)
    client.events.started()
    client.events.delta(Delta(reasoning="I "))
    client.events.delta(Delta(reasoning="see."))
    client.events.delta(Delta(text="See "))
    client.events.delta(Delta(tool_call=ToolCallPiece(index=0, id="call_1", name="look_up")))
    client.events.delta(Delta(tool_call=ToolCallPiece(index=0, arguments='{"q": ')))
    client.events.delta(Delta(tool_call=ToolCallPiece(index=0, arguments="1}")))
    client.events.delta(Delta(text=f"{IMAGE}."))
    client.events.image(IMAGE, "image/png")
    before = len(client.data)
    client.events.done(response)
    assert not [kind for kind in client.types[before:] if kind.endswith(("added", "delta"))]
    reasoning, message, call = json.loads(client.writer.text(response))["output"]
    images = message.pop("images")
    assert visible(client.output()) == visible([reasoning, message, call])
    assert client.data[-1]["response"]["output"][1]["images"] == images
    assert [event["output_index"] for event in client.of("output_item.done")] == [0, 1, 2]
    for kind, member in ENDS.items():
        for event in client.of(f"{kind}.done"):
            pieces = [each["delta"] for each in client.of(f"{kind}.delta") if each["item_id"] == event["item_id"]]
            assert "".join(pieces) == event[member]


def test_events_are_numbered_and_named(client: Client) -> None:
    client.events.delta(Delta(text="Hello."))
    client.events.done(stored())
    assert [event["sequence_number"] for event in client.data] == [*range(len(client.data))]
    names = [piece.partition("\n")[0] for piece in client.pieces]
    assert names == [f"event: {event['type']}" for event in client.data]
    assert '"cost":0.000081}' in client.pieces[-1]


def test_items_have_the_index_of_their_first_piece(client: Client) -> None:
    client.events.delta(Delta(text="4"))
    client.events.delta(Delta(reasoning="2 + 2"))
    client.events.done(stored({"type": "text", "content": "4", "reasoning": "2 + 2"}))
    begun = {event["item"]["type"]: event["output_index"] for event in client.of("output_item.added")}
    ended = {event["item"]["type"]: event["output_index"] for event in client.of("output_item.done")}
    assert begun == ended == {"message": 0, "reasoning": 1}
    assert [item["type"] for item in client.data[-1]["response"]["output"]] == ["reasoning", "message"]


def test_nothing_ends_before_the_execution_is_recorded(client: Client) -> None:
    client.events.delta(Delta(reasoning="2 + 2"))
    client.events.delta(Delta(text="4"))
    client.events.delta(Delta(tool_call=ToolCallPiece(index=0, name="look_up", arguments="{}")))
    assert not [kind for kind in client.types if kind.endswith((".done", "completed", "incomplete"))]


def test_tool_call_without_an_id_gets_that_of_the_response(client: Client) -> None:
    client.events.delta(Delta(tool_call=ToolCallPiece(index=0, name="look_up", arguments="{}")))
    client.events.done(stored_message({"tool_calls": [{"function": {"name": "look_up", "arguments": "{}"}}]}))
    (begun,), (ended,) = client.of("output_item.added"), client.of("output_item.done")
    assert begun["item"]["call_id"] == ended["item"]["call_id"] == f"call_{EXECUTION_ID}_0"


def test_replacement_of_what_was_sent_ends_with_an_error(client: Client) -> None:
    client.events.delta(Delta(text="Hel"))
    before = len(client.data)
    client.events.delta(Delta(text="Good-bye.", replace=True))
    client.events.done(stored())
    (error,) = client.data[before:]
    assert (error["type"], error["error"]["execution_id"]) == ("error", EXECUTION_ID)
    assert f"GET /api/executions/{EXECUTION_ID}" in error["message"]


def test_error_after_the_beginning_is_the_last_event(client: Client) -> None:
    client.events.started()
    with client.events.reporting_errors():
        raise OutcomeUnknown("Look.").during(EXECUTION_ID)
    last = client.data[-1]
    assert (last["type"], last["code"], last["message"], last["param"]) == ("error", "outcome_unknown", "Look.", None)
    assert (last["sequence_number"], last["error"]["execution_id"]) == (2, EXECUTION_ID)


def test_error_before_the_beginning_is_raised(client: Client) -> None:
    with pytest.raises(OutcomeUnknown), client.events.reporting_errors():
        raise OutcomeUnknown("Look.")
    assert client.pieces == []


def test_headers_name_the_execution_and_what_was_ignored() -> None:
    client, prepared = Client(), a_prepared(EXECUTION_ID)
    client.events.prepared(replace(prepared, plan=replace(prepared.plan, ignored=("max_tokens", "top_p"))))
    client.events.started()
    assert client.headers["x-execution-id"] == client.headers["x-request-id"] == [EXECUTION_ID]
    assert client.headers["x-ignored-parameters"] == ["max_output_tokens, top_p"]


def test_comments_keep_the_connection_alive(client: Client) -> None:
    client.clock.pass_seconds(10)
    client.events.idle()
    assert client.pieces == [": keep-alive\n\n"]


def test_each_event_has_two_lines(client: Client) -> None:
    """Some clients read lines as `str.splitlines` does."""
    text = "a\nb\r\u2028\u2029\x85\x0b\x1c"
    client.events.delta(Delta(text=text))
    assert {len(piece.removesuffix("\n\n").splitlines()) for piece in client.pieces} == {2}
    assert client.of("output_text.delta")[-1]["delta"] == text
