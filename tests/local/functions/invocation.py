"""One invocation of a function and how it ended, in Lambda's own words."""

import json
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from tests.local.api.server import Headers
from tests.local.aws.arns import function_arn

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes an event may have; an answer may have 100 more, as in Lambda."""
ANSWER_LIMIT = PAYLOAD_LIMIT + 100


class EventTooLarge(Exception):
    """The event is over Lambda's limit; no function saw it."""


@dataclass(frozen=True)
class Outcome:
    """What a function answered, or (`failed`) Lambda's description of its error: JSON either way."""

    payload: bytes
    failed: bool = False

    @property
    def content(self) -> Any:
        """The payload, parsed."""
        return json.loads(self.payload)


def failure(kind: str, message: str) -> Outcome:
    """A failure that Lambda itself reports."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


class Invocation:
    """An event on its way through one environment; ends exactly once, the first outcome wins."""

    def __init__(self, event: bytes) -> None:
        """Gives the event a request id."""
        self.id = str(uuid.uuid4())
        self.event = event
        self.outcome: Outcome | None = None
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._ended = threading.Event()

    def start(self, function: str, timeout: float) -> Headers:
        """Marks the event as taken; the headers under which the Runtime API hands it over."""
        self._started.set()
        return [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", self.id),
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + timeout) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", function_arn(function)),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{int(time.time()):08x}-{self.id.replace('-', '')[:24]}"),
        ]

    def end(self, outcome: Outcome | None) -> None:
        """Ends it; None means that no function took the event."""
        with self._lock:
            if not self._ended.is_set():
                self.outcome = outcome
                self._ended.set()
                self._started.set()

    def ended_within(self, seconds: float) -> bool:
        """Waits until it is taken, then at most `seconds` for its end."""
        self._started.wait()
        return self._ended.wait(seconds)

    @property
    def started(self) -> bool:
        """Whether a function took the event."""
        return self._started.is_set()
