"""One invocation of a function and its outcome."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.local.api.server import Headers
from tests.local.aws.arns import function_arn

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""The maximum size of an event in bytes; that of a response is 100 bytes more, as in Lambda."""
ANSWER_LIMIT = PAYLOAD_LIMIT + 100


type Sink = Callable[[bytes], None]
"""Takes the pieces of a streamed response."""


class EventTooLarge(Exception):
    """The event is over Lambda's limit; no function was invoked."""


@dataclass(frozen=True)
class Outcome:
    """The JSON result of a function, or if `failed`, the JSON description of its error."""

    payload: bytes
    failed: bool = False

    @property
    def content(self) -> Any:
        """The parsed payload."""
        return json.loads(self.payload)


def failure(kind: str, message: str) -> Outcome:
    """The outcome of an error that Lambda reports."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


class Invocation:
    """One event in one environment; only the first outcome is recorded."""

    def __init__(self, event: bytes, sink: Sink | None = None) -> None:
        """Assign a request id to the event; a streamed response is sent to `sink`, or else becomes the outcome."""
        self.id = str(uuid.uuid4())
        self.event = event
        self.sink = sink
        self.outcome: Outcome | None = None
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._ended = threading.Event()

    def start(self, function: str, timeout: float) -> Headers:
        """Mark the event as started and return the headers of the Runtime API's `next` response."""
        self._started.set()
        return [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", self.id),
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + timeout) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", function_arn(function)),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{int(time.time()):08x}-{self.id.replace('-', '')[:24]}"),
        ]

    def end(self, outcome: Outcome | None) -> None:
        """End the invocation; None means that no function started it."""
        with self._lock:
            if not self._ended.is_set():
                self.outcome = outcome
                self._ended.set()
                self._started.set()

    def ended_within(self, seconds: float) -> bool:
        """Wait for the start, then at most `seconds` for the end; return whether it ended."""
        self._started.wait()
        return self._ended.wait(seconds)

    @property
    def started(self) -> bool:
        """Whether a function has started the event."""
        return self._started.is_set()
