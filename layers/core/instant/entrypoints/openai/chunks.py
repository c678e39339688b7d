"""The chunks of a streamed completion, as server-sent events."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from instant.domain.errors import UpstreamError
from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta, ToolCallPiece
from instant.domain.executions.prepared import Prepared
from instant.domain.json_values import one_line, utf8_text
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.errors import to_instant_error
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.chat_request import headers_of
from instant.entrypoints.openai.completion import Message, Stored, finish_reason, image_part, message_of, usage_text
from instant.entrypoints.openai.errors import execution_headers, openai_body
from instant.use_cases.executions.streams.listener import Listener

_IMAGE = re.compile(r"/api/images/img_[0-9A-HJKMNP-TV-Z]{26}")
_AT_THE_END = ("refusal", "reasoning_details", "annotations")
"""Members of the message that are never sent in pieces."""


class CompletionChunks(Listener):
    """Sends the progress of one execution as chunks.

    A chunk can only add to earlier ones. If the answer turns out to differ from what was sent of it, the stream ends
    with an error that says where the answer is.
    """

    def __init__(self, stream: EventStream, body: ChatBody, created: int, address: str) -> None:
        """Send chunks to `stream` for the request `body`, with links below `address`."""
        self._stream = stream
        self._body = body
        self._facts = {"object": "chat.completion.chunk", "created": created, "model": body.model}
        self._address = address
        self._include_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._execution_id = ""
        self._sent = set[object]()
        self._is_wrong = False

    def prepared(self, prepared: Prepared) -> None:
        """Set the headers and the id of the completion."""
        self._execution_id = prepared.execution_id
        self._stream.headers |= {name: [value] for name, value in headers_of(prepared, self._body).items()}

    def joined(self, execution: Execution) -> None:
        """Set the header and the id of the completion."""
        self._execution_id = execution.execution_id
        self._name_execution()

    def started(self) -> None:
        """Send the role, once."""
        if "role" not in self._sent:
            self._sent.add("role")
            self._send({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> None:
        """Send a piece of the text, the reasoning or a tool call."""
        call = delta.tool_call
        kind: object = ("call", call.index) if call else "reasoning" if delta.reasoning else "content"
        self._is_wrong |= delta.replace and kind in self._sent
        if self._is_wrong:
            return
        self.started()
        if call:
            self._send({"tool_calls": [self._tool_call(call, is_first=kind not in self._sent)]})
        else:
            self._send({"reasoning": delta.reasoning} if delta.reasoning else {"content": self._linked(delta.text)})
        self._sent.add(kind)

    def image(self, path: str, media_type: str | None) -> None:
        """Send an image."""
        self.started()
        self._sent.add("images")
        self._send({"images": [image_part(self._address + path)]})

    def idle(self) -> None:
        """Keep the connection alive."""
        self._stream.keep_alive()

    def done(self, stored: Stored) -> None:
        """Send what was not sent before, and the end."""
        self._execution_id = stored["execution_id"]
        self._name_execution()
        if self._is_wrong:
            self._send_error(_contradiction(self._execution_id))
            return
        self.started()
        for part in self._missing(message_of(stored, self._address)):
            self._send(part)
        self._send({}, finish_reason(stored))
        if self._include_usage:
            self._stream.send(self._chunk([], usage_text(stored)))
        self._stream.send("[DONE]")

    def _name_execution(self) -> None:
        named = execution_headers(self._execution_id)
        self._stream.headers |= {name: [value] for name, value in named.items()}

    def reporting_errors(self) -> AbstractContextManager[None]:
        """Send an error as the last event; one before the first event is raised instead."""
        return self._stream.reporting_errors(self._send_error)

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
            "id": call.id or f"call_{self._execution_id}_{call.index}",
            "type": "function",
            "function": {"name": call.name or "", "arguments": call.arguments},
        }

    def _linked(self, text: str) -> str:
        """The text with absolute links to images, which no piece of a text breaks."""
        return _IMAGE.sub(lambda path: self._address + path[0], text)

    def _send(self, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        self._stream.send(self._chunk([choice], "null" if self._include_usage else ""))

    def _chunk(self, choices: list[dict[str, Any]], usage: str) -> str:
        text = one_line(utf8_text({"id": self._execution_id, **self._facts, "choices": choices}))
        return f'{text[:-1]},"usage":{usage}}}' if usage else text

    def _send_error(self, error: Exception) -> None:
        self._stream.send(one_line(utf8_text(openai_body(to_instant_error(error)))))


def _contradiction(execution_id: str) -> UpstreamError:
    error = UpstreamError(
        "The answer is complete, but it differs from the text that was sent. Read it at "
        f"GET /api/executions/{execution_id}; do not repeat the call, which was charged."
    )
    error.may_have_cost = True
    return error.during(execution_id)
