"""A streamed answer of any form: its headers, its links, and how it ends if it cannot be completed."""

import re
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from instant.domain.errors import UpstreamError
from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.openai.completion import Stored
from instant.entrypoints.openai.errors import execution_headers
from instant.use_cases.executions.streams.listener import Listener

_IMAGE = re.compile(r"/api/images/img_[0-9A-HJKMNP-TV-Z]{26}")


class AnswerStream(Listener, ABC):
    """Sends the progress of one execution as events that can only add to earlier ones.

    If the answer turns out to differ from what was sent of it, the stream ends with an error that says where the
    answer is.
    """

    def __init__(self, stream: EventStream, address: str) -> None:
        """Send events to `stream`, with links below `address`."""
        self._stream = stream
        self._address = address
        self._execution_id = ""
        self._sent = set[object]()
        self._is_wrong = False

    def prepared(self, prepared: Prepared) -> None:
        """Set the headers and the id of the answer."""
        self._execution_id = prepared.execution_id
        self._add_headers(self._headers_of(prepared))

    def joined(self, execution: Execution) -> None:
        """Set the header and the id of the answer."""
        self._name_execution(execution.execution_id)

    def delta(self, delta: Delta) -> None:
        """Send a piece of the text, the reasoning or a tool call."""
        call = delta.tool_call
        kind: object = ("call", call.index) if call else "reasoning" if delta.reasoning else "content"
        self._is_wrong |= delta.replace and kind in self._sent
        if self._is_wrong:
            return
        self.started()
        self._send_delta(delta, is_first=kind not in self._sent)
        self._sent.add(kind)

    def idle(self) -> None:
        """Keep the connection alive."""
        self._stream.keep_alive()

    def done(self, stored: Stored) -> None:
        """Send what was not sent before, and the end."""
        self._name_execution(stored["execution_id"])
        if self._is_wrong:
            self._send_error(_contradiction(self._execution_id))
            return
        self.started()
        self._send_rest(stored)

    def reporting_errors(self) -> AbstractContextManager[None]:
        """Send an error as the last event; one before the first event is raised instead."""
        return self._stream.reporting_errors(self._send_error)

    @abstractmethod
    def started(self) -> None:
        """Send the beginning, once."""

    @abstractmethod
    def _headers_of(self, prepared: Prepared) -> dict[str, str]: ...

    @abstractmethod
    def _send_delta(self, delta: Delta, *, is_first: bool) -> None: ...

    @abstractmethod
    def _send_rest(self, stored: Stored) -> None: ...

    @abstractmethod
    def _send_error(self, error: Exception) -> None: ...

    def _call_id(self, given: str | None, index: int) -> str:
        """The id of a tool call, made up if the provider gave none."""
        return given or f"call_{self._execution_id}_{index}"

    def _linked(self, text: str) -> str:
        """The text with absolute links to images, which no piece of a text breaks."""
        return _IMAGE.sub(lambda path: self._address + path[0], text)

    def _name_execution(self, execution_id: str) -> None:
        self._execution_id = execution_id
        self._add_headers(execution_headers(execution_id))

    def _add_headers(self, headers: dict[str, str]) -> None:
        self._stream.headers |= {name: [value] for name, value in headers.items()}


def _contradiction(execution_id: str) -> UpstreamError:
    error = UpstreamError(
        "The answer is complete, but it differs from the text that was sent. Read it at "
        f"GET /api/executions/{execution_id}; do not repeat the call, which was charged."
    )
    error.may_have_cost = True
    return error.during(execution_id)
