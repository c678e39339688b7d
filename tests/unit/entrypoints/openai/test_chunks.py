"""Streamed completions: chunks that add up to the answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from instant.domain.errors import OutcomeUnknown
from instant.domain.executions.execution import Execution, State
from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.validation import parse
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.stream import Headers, Write
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.chunks import CompletionChunks
from instant.entrypoints.openai.completion import completion_text
from tests.fakes.builders import a_prepared
from tests.fakes.clock import FakeClock
from tests.unit.entrypoints.openai.stored import EXECUTION_ID, stored, stored_message

ADDRESS = "https://api.example/test"
IMAGE = "/api/images/img_01JD0000000000000000000000"
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"q": 1}'}}


class Client:
    """A client that reads a stream."""

    def __init__(self, *, include_usage: bool = False) -> None:
        """Request a stream."""
        self.pieces: list[str] = []
        self.headers: Headers = {}
        self.clock = FakeClock()
        options = {"stream_options": {"include_usage": True}} if include_usage else {}
        body = parse(ChatBody, {"model": "u1/haiku", "messages": [], "max_completion_tokens": 5, **options}, "")
        self.chunks = CompletionChunks(EventStream(self._start, self.clock), body, 1, ADDRESS)

    def _start(self, status: int, headers: Headers) -> Write:
        self.headers = dict(headers)
        assert status == 200
        return lambda piece: self.pieces.append(piece.decode())

    @property
    def data(self) -> list[Any]:
        """The data of every event; `[DONE]` as text."""
        lines = [piece.removeprefix("data: ").removesuffix("\n\n") for piece in self.pieces if piece[0] != ":"]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    @property
    def deltas(self) -> list[dict[str, Any]]:
        """The delta of every chunk."""
        return [chunk["choices"][0]["delta"] for chunk in self.data if chunk != "[DONE]" and chunk.get("choices")]

    def message(self) -> dict[str, Any]:
        """Join the deltas, as clients do."""
        whole: dict[str, Any] = {"content": ""}
        for delta in self.deltas:
            for name, value in delta.items():
                if name == "tool_calls":
                    _add_calls(whole.setdefault(name, {}), value)
                else:
                    whole[name] = whole[name] + value if name in whole else value
        calls = whole.pop("tool_calls", None)
        return whole | ({"tool_calls": [*calls.values()]} if calls else {})


def _add_calls(calls: dict[int, dict[str, Any]], pieces: list[dict[str, Any]]) -> None:
    for piece in pieces:
        facts = {name: value for name, value in piece.items() if name != "index"}
        known = calls.setdefault(piece["index"], {**facts, "function": {**facts["function"], "arguments": ""}})
        known["function"]["arguments"] += piece["function"]["arguments"]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.chunks.prepared(a_prepared(EXECUTION_ID))
    return client


def test_stream_has_role_deltas_reason_and_done(client: Client) -> None:
    client.chunks.started()
    for text in ("Hel", "lo."):
        client.chunks.delta(Delta(text=text))
    client.chunks.done(stored())
    head = {"id": EXECUTION_ID, "object": "chat.completion.chunk", "created": 1, "model": "u1/haiku"}
    choice = {"index": 0, "finish_reason": None, "logprobs": None}
    assert client.data == [
        {**head, "choices": [{**choice, "delta": {"role": "assistant", "content": ""}}]},
        {**head, "choices": [{**choice, "delta": {"content": "Hel"}}]},
        {**head, "choices": [{**choice, "delta": {"content": "lo."}}]},
        {**head, "choices": [{**choice, "delta": {}, "finish_reason": "stop"}]},
        "[DONE]",
    ]


def test_headers_name_the_execution_and_what_was_ignored() -> None:
    client, prepared = Client(), a_prepared(EXECUTION_ID)
    client.chunks.prepared(replace(prepared, plan=replace(prepared.plan, ignored=("max_tokens", "seed"))))
    client.chunks.started()
    assert client.headers == {
        "Content-Type": ["text/event-stream"],
        "x-execution-id": [EXECUTION_ID],
        "x-request-id": [EXECUTION_ID],
        "x-ignored-parameters": ["max_completion_tokens, seed"],
    }


def test_headers_of_a_repeat_name_the_execution() -> None:
    client = Client()
    client.chunks.done(stored())
    assert client.headers["x-execution-id"] == client.headers["x-request-id"] == [EXECUTION_ID]
    assert {chunk["id"] for chunk in client.data[:-1]} == {EXECUTION_ID}


def test_joined_execution_gives_its_id() -> None:
    client = Client()
    client.chunks.joined(
        Execution(
            execution_id=EXECUTION_ID,
            user_id="user_alice",
            resource_id="res_1",
            resource_revision=1,
            state=State.SENT,
            created_at="2026-11-22T12:00:00.000000Z",
        )
    )
    client.chunks.started()
    assert (client.headers["x-execution-id"], client.data[0]["id"]) == ([EXECUTION_ID], EXECUTION_ID)


def test_usage_is_in_a_last_chunk_without_choices() -> None:
    client = Client(include_usage=True)
    client.chunks.prepared(a_prepared(EXECUTION_ID))
    client.chunks.delta(Delta(text="Hello."))
    client.chunks.done(stored(usage={"cost_usd": "0.1234567890123456789"}))
    assert [chunk["usage"] for chunk in client.data[:-2]] == [None] * 3
    assert (client.data[-2]["choices"], client.data[-2]["usage"]["total_tokens"]) == ([], 12)
    assert '"cost":0.1234567890123456789}' in client.pieces[-2]


RESPONSES = {
    "text": stored(),
    "no text": stored({"type": "text", "content": None}),
    "json": stored_message({"content": '{"a": 1.10}'}, wants_json=True),
    "tool calls": stored_message({"content": "Let me.", "tool_calls": [CALL, {**CALL, "id": None}]}),
    "refusal": stored_message({"content": None, "refusal": "I cannot."}),
    "reasoning": stored(
        {"type": "text", "content": "4", "reasoning": "2 + 2", "reasoning_details": [{"type": "reasoning.text"}]}
    ),
    "image": stored({"type": "image", "content": f"See {IMAGE}.", "urls": [IMAGE]}),
    "citations": stored({"type": "text", "content": "x", "citations": [{"url": "https://a.example", "title": "A"}]}),
}


def whole(response: dict[str, Any]) -> dict[str, Any]:
    """Return the message of the completion that is not streamed, without fields that are null."""
    choice = json.loads(completion_text(response, "u1/haiku", 1, ADDRESS))["choices"][0]
    return {name: value for name, value in choice["message"].items() if value is not None}


@pytest.mark.parametrize("name", RESPONSES)
def test_answer_that_was_not_sent_in_pieces_is_sent_at_the_end(client: Client, name: str) -> None:
    client.chunks.done(RESPONSES[name])
    assert client.message() == {"content": "", **whole(RESPONSES[name])}
    assert client.data[-1] == "[DONE]"


def test_pieces_add_up_to_the_answer(client: Client) -> None:
    output = {
        "type": "image",
        "content": f"See {IMAGE}.",
        "urls": [IMAGE],
        "reasoning": "I see.",
    }
    response = stored({**output, "tool_calls": [{"id": "call_1", "name": "look_up", "arguments": '{"q": 1}'}]})
    client.chunks.started()
    client.chunks.delta(Delta(reasoning="I "))
    client.chunks.delta(Delta(reasoning="see."))
    client.chunks.delta(Delta(tool_call=ToolCallPiece(index=0, id="call_1", name="look_up")))
    client.chunks.delta(Delta(tool_call=ToolCallPiece(index=0, arguments='{"q": ')))
    client.chunks.delta(Delta(text="See "))
    client.chunks.delta(Delta(tool_call=ToolCallPiece(index=0, arguments="1}")))
    client.chunks.delta(Delta(text=f"{IMAGE}."))
    client.chunks.image(IMAGE, "image/png")
    client.chunks.done(response)
    assert client.message() == whole(response)
    assert client.data[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_tool_call_without_an_id_gets_that_of_the_completion(client: Client) -> None:
    client.chunks.delta(Delta(tool_call=ToolCallPiece(index=0, name="look_up", arguments="{}")))
    response = stored_message({"tool_calls": [{"function": {"name": "look_up", "arguments": "{}"}}]})
    client.chunks.done(response)
    assert client.message()["tool_calls"] == whole(response)["tool_calls"]


def test_replacement_of_nothing_is_sent(client: Client) -> None:
    client.chunks.delta(Delta(text="Hello.", replace=True))
    client.chunks.done(stored())
    assert (client.message()["content"], client.data[-1]) == ("Hello.", "[DONE]")


@pytest.mark.parametrize(
    ("sent", "instead"),
    [
        (Delta(text="Hel"), Delta(text="Good-bye.", replace=True)),
        (Delta(reasoning="Hel"), Delta(reasoning="Good-bye.", replace=True)),
        (
            Delta(tool_call=ToolCallPiece(index=0, name="look_up")),
            Delta(tool_call=ToolCallPiece(index=0, name="find", arguments="{}"), replace=True),
        ),
    ],
    ids=["text", "reasoning", "tool call"],
)
def test_replacement_of_what_was_sent_ends_with_an_error(client: Client, sent: Delta, instead: Delta) -> None:
    client.chunks.delta(sent)
    before = len(client.data)
    client.chunks.delta(instead)
    client.chunks.delta(Delta(text=" More."))
    client.chunks.done(stored())
    (error,) = client.data[before:]
    assert error["error"]["execution_id"] == EXECUTION_ID
    assert f"GET /api/executions/{EXECUTION_ID}" in error["error"]["message"]


def test_error_after_the_beginning_is_the_last_event(client: Client) -> None:
    client.chunks.started()
    with client.chunks.reporting_errors():
        raise OutcomeUnknown("Look.").during(EXECUTION_ID)
    error = client.data[-1]["error"]
    assert (error["code"], error["type"], error["execution_id"]) == ("outcome_unknown", "api_error", EXECUTION_ID)


def test_error_before_the_beginning_is_raised(client: Client) -> None:
    with pytest.raises(OutcomeUnknown), client.chunks.reporting_errors():
        raise OutcomeUnknown("Look.")
    assert client.pieces == []


def test_comments_keep_the_connection_alive(client: Client) -> None:
    client.clock.pass_seconds(10)
    client.chunks.idle()
    assert client.pieces == [": keep-alive\n\n"]


def test_events_have_one_line(client: Client) -> None:
    """Some clients read lines as `str.splitlines` does."""
    text = "a\nb\r\u2028\u2029\x85\x0b\x1c"
    client.chunks.delta(Delta(text=text))
    assert [len(piece.removesuffix("\n\n").splitlines()) for piece in client.pieces] == [1, 1]
    assert client.deltas[-1] == {"content": text}
