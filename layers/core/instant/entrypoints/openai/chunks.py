"""The chunks of a streamed completion, as server-sent events."""

from collections.abc import Iterator
from typing import Any, override

from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.executions.prepared import Prepared
from instant.domain.json_values import one_line, utf8_text
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.errors import to_instant_error
from instant.entrypoints.openai.answer_stream import AnswerStream
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.chat_request import headers_of
from instant.entrypoints.openai.completion import Message, Stored, finish_reason, image_part, message_of, usage_text
from instant.entrypoints.openai.errors import openai_body

_AT_THE_END = ("refusal", "reasoning_details", "annotations")
"""Members of the message that are never sent in pieces."""


class CompletionChunks(AnswerStream):
    """Sends the progress of one execution as chunks, each of which adds to the message."""

    def __init__(self, stream: EventStream, body: ChatBody, created: int, address: str) -> None:
        """Send chunks to `stream` for the request `body`, with links below `address`."""
        super().__init__(stream, address)
        self._body = body
        self._facts = {"object": "chat.completion.chunk", "created": created, "model": body.model}
        self._include_usage = bool(body.stream_options and body.stream_options.include_usage)

    @override
    def started(self) -> None:
        """Send the role, once."""
        if "role" not in self._sent:
            self._sent.add("role")
            self._send({"role": "assistant", "content": ""})

    def image(self, path: str, media_type: str | None) -> None:
        """Send an image."""
        self.started()
        self._sent.add("images")
        self._send({"images": [image_part(self._address + path)]})

    @override
    def _headers_of(self, prepared: Prepared) -> dict[str, str]:
        return headers_of(prepared, self._body)

    @override
    def _send_delta(self, delta: Delta, *, is_first: bool) -> None:
        if delta.tool_call:
            self._send({"tool_calls": [self._tool_call(delta.tool_call, is_first=is_first)]})
        else:
            self._send({"reasoning": delta.reasoning} if delta.reasoning else {"content": self._linked(delta.text)})

    @override
    def _send_rest(self, stored: Stored) -> None:
        for part in self._missing(message_of(stored, self._address)):
            self._send(part)
        self._send({}, finish_reason(stored))
        if self._include_usage:
            self._stream.send(self._chunk([], usage_text(stored)))
        self._stream.send("[DONE]")

    def _missing(self, message: Message) -> Iterator[dict[str, Any]]:
        """The parts of the message that were not sent in pieces."""
        calls = message.get("tool_calls", [])
        if "reasoning" in message and "reasoning" not in self._sent:
            yield {"reasoning": message["reasoning"]}
        if message["content"] and "content" not in self._sent:
            yield {"content": message["content"]}
        if calls and ("call", 0) not in self._sent:
            yield {"tool_calls": [{"index": number, **call} for number, call in enumerate(calls)]}
        if "images" in message and "images" not in self._sent:
            yield {"images": message["images"]}
        yield from ({name: value} for name in _AT_THE_END if (value := message.get(name)))

    def _tool_call(self, call: ToolCallPiece, *, is_first: bool) -> dict[str, Any]:
        """A piece of a tool call; the first one has all but the arguments."""
        if not is_first:
            return {"index": call.index, "function": {"arguments": call.arguments}}
        return {
            "index": call.index,
            "id": self._call_id(call.id, call.index),
            "type": "function",
            "function": {"name": call.name or "", "arguments": call.arguments},
        }

    def _send(self, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        self._stream.send(self._chunk([choice], "null" if self._include_usage else ""))

    def _chunk(self, choices: list[dict[str, Any]], usage: str) -> str:
        text = one_line(utf8_text({"id": self._execution_id, **self._facts, "choices": choices}))
        return f'{text[:-1]},"usage":{usage}}}' if usage else text

    @override
    def _send_error(self, error: Exception) -> None:
        self._stream.send(one_line(utf8_text(openai_body(to_instant_error(error)))))
