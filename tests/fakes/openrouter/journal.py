"""Records the requests in order, so that tests can read them while the server runs."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CHAT_PATH = "/api/v1/chat/completions"


@dataclass(frozen=True)
class Arrival:
    """One request. `path` is unquoted once, header names are lower case, `at` is in monotonic seconds.

    `json` is the parsed body, or None if the body is empty or not JSON.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    json: Any = field(default=None, repr=False)

    @property
    def is_chat(self) -> bool:
        """Whether this is a chat completion."""
        return self.method == "POST" and self.path == CHAT_PATH


def parse(body: bytes) -> Any:
    """The JSON value of a request body, or None."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


class Journal:
    """A thread-safe list of requests, and of those whose client disconnected before the reply was complete."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._abandoned: list[Arrival] = []

    def arrived(self, arrival: Arrival) -> None:
        """Record a request before it is answered."""
        with self._changed:
            self._arrivals.append(arrival)
            self._changed.notify_all()

    def abandoned(self, arrival: Arrival) -> None:
        """Record that the client of this request disconnected during the reply."""
        with self._changed:
            self._abandoned.append(arrival)
            self._changed.notify_all()

    @property
    def requests(self) -> list[Arrival]:
        """A copy of all requests, oldest first."""
        with self._changed:
            return list(self._arrivals)

    @property
    def hang_ups(self) -> list[Arrival]:
        """A copy of the requests whose client disconnected early."""
        with self._changed:
            return list(self._abandoned)

    def wait_until(self, happened: Callable[["Journal"], bool], timeout: float) -> bool:
        """Block until `happened(journal)` is true; return False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: happened(self), timeout)

    def clear(self) -> None:
        """Delete all records."""
        with self._changed:
            self._arrivals.clear()
            self._abandoned.clear()
