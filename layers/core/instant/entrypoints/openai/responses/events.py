"""The typed events of a streamed response, as server-sent events."""

from typing import Any, override

from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.errors import to_instant_error
from instant.entrypoints.http.fields import JsonObject
from instant.entrypoints.openai.answer_stream import AnswerStream
from instant.entrypoints.openai.completion import Stored, finish_reason
from instant.entrypoints.openai.errors import openai_body
from instant.entrypoints.openai.responses.output import (
    INCOMPLETE,
    FunctionCallOutput,
    MessageOutput,
    OutputItem,
    ReasoningOutput,
    function_call,
    message_item,
    output_items,
    reasoning_item,
    summary_part,
    text_part,
)
from instant.entrypoints.openai.responses.request import ResponsesRequest
from instant.entrypoints.openai.responses.response import ResponseWriter
from instant.entrypoints.openai.responses.typed_events import TypedEvents

_SUMMARY, _CONTENT = "response.reasoning_summary_part", "response.content_part"


class ResponseEvents(AnswerStream):
    """Sends the progress of one execution as typed events.

    Items are begun in the order in which their first pieces arrive, and ended when the answer is complete and recorded.
    """

    def __init__(self, stream: EventStream, request: ResponsesRequest, writer: ResponseWriter) -> None:
        """Send events to `stream` for this request."""
        super().__init__(stream, writer.address)
        self._request = request
        self._writer = writer
        self._events = TypedEvents(stream)

    @override
    def started(self) -> None:
        """Send the response without output, once."""
        if "beginning" not in self._sent:
            self._sent.add("beginning")
            begun = self._writer.begun(self._execution_id)
            for name in ("response.created", "response.in_progress"):
                self._events.send_response(name, begun)

    def image(self, path: str, media_type: str | None) -> None:
        """Begin the message, which has the image when it ends."""
        self.started()
        self._events.begin_item(message_item(self._execution_id))

    @override
    def _headers_of(self, prepared: Prepared) -> dict[str, str]:
        return self._request.headers_of(prepared)

    @override
    def _send_delta(self, delta: Delta, *, is_first: bool) -> None:
        if delta.tool_call:
            self._send_arguments(self._begin_call(delta.tool_call), delta.tool_call.arguments)
        elif delta.reasoning:
            place = self._events.begin_item(reasoning_item(self._execution_id))
            self._send_reasoning(self._begin_summary(place), delta.reasoning)
        elif delta.text:
            place = self._events.begin_item(message_item(self._execution_id))
            self._send_text(self._begin_text(place), self._linked(delta.text))

    @override
    def _send_rest(self, stored: Stored) -> None:
        for item in output_items(stored, self._address):
            place = self._events.begin_item(_empty(item))
            match item["type"]:
                case "reasoning":
                    self._end_reasoning(item, place)
                case "message":
                    self._end_message(item, place)
                case "function_call":
                    self._end_call(item, place)
            self._events.end_item(item)
        end = "incomplete" if finish_reason(stored) in INCOMPLETE else "completed"
        self._events.send_response(f"response.{end}", self._writer.text(stored))

    @override
    def _send_error(self, error: Exception) -> None:
        body = openai_body(to_instant_error(error))
        facts = {name: body["error"].get(name) for name in ("code", "message", "param")}
        self._events.send("error", **facts, **body)

    def _begin_call(self, call: ToolCallPiece) -> JsonObject:
        function = {"name": call.name or "", "arguments": ""}
        item = function_call(self._execution_id, call.index, self._call_id(call.id, call.index), function)
        return self._events.begin_item(item)

    def _begin_summary(self, place: JsonObject) -> JsonObject:
        return self._events.begin_part(_SUMMARY, place, "summary_index", 0, summary_part(""))

    def _begin_text(self, place: JsonObject) -> JsonObject:
        return self._events.begin_part(_CONTENT, place, "content_index", 0, text_part("", []))

    def _send_arguments(self, place: JsonObject, text: str) -> None:
        self._send_piece("response.function_call_arguments.delta", place, text)

    def _send_reasoning(self, place: JsonObject, text: str) -> None:
        self._send_piece("response.reasoning_summary_text.delta", place, text)

    def _send_text(self, place: JsonObject, text: str) -> None:
        self._send_piece("response.output_text.delta", place, text, logprobs=[])

    def _send_piece(self, name: str, place: JsonObject, text: str, **more: Any) -> None:
        """Send a piece of a text, unless it is empty."""
        if text:
            self._sent.add(place["item_id"])
            self._events.send(name, **place, delta=text, **more)

    def _end_reasoning(self, item: ReasoningOutput, place: JsonObject) -> None:
        for part in item["summary"]:
            named = self._begin_summary(place)
            if place["item_id"] not in self._sent:
                self._send_reasoning(named, part["text"])
            self._events.send("response.reasoning_summary_text.done", **named, text=part["text"])
            self._events.send(f"{_SUMMARY}.done", **named, part=part)

    def _end_message(self, item: MessageOutput, place: JsonObject) -> None:
        for number, part in enumerate(item["content"]):
            if part["type"] == "refusal":
                named = self._end_refusal(place, number, part["refusal"])
            else:
                named = self._end_text(place, part)
            self._events.send(f"{_CONTENT}.done", **named, part=part)

    def _end_text(self, place: JsonObject, part: JsonObject) -> JsonObject:
        named = self._begin_text(place)
        if place["item_id"] not in self._sent:
            self._send_text(named, part["text"])
        for number, annotation in enumerate(part["annotations"]):
            name = "response.output_text.annotation.added"
            self._events.send(name, **named, annotation_index=number, annotation=annotation)
        self._events.send("response.output_text.done", **named, text=part["text"], logprobs=[])
        return named

    def _end_refusal(self, place: JsonObject, number: int, refusal: str) -> JsonObject:
        empty = {"type": "refusal", "refusal": ""}
        named = self._events.begin_part(_CONTENT, place, "content_index", number, empty)
        self._events.send("response.refusal.delta", **named, delta=refusal)
        self._events.send("response.refusal.done", **named, refusal=refusal)
        return named

    def _end_call(self, item: FunctionCallOutput, place: JsonObject) -> None:
        if place["item_id"] not in self._sent:
            self._send_arguments(place, item["arguments"])
        arguments = item["arguments"]
        self._events.send("response.function_call_arguments.done", **place, name=item["name"], arguments=arguments)


def _empty(item: OutputItem) -> JsonObject:
    """The item as it begins."""
    contents = {"summary": [], "content": [], "arguments": ""}
    begun = {name: contents.get(name, value) for name, value in item.items()}
    return {**begun, "status": "in_progress"}
