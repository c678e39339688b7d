"""The record of what arrived, in order, for tests to look at while the server runs."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CHAT_PATH = "/api/v1/chat/completions"


@dataclass(frozen=True)
class Arrival:
    """One request. `path` is unquoted once, header names are lower case, `at` is monotonic seconds.

    `json` is the parsed body, None when there is none or when it is not JSON.
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
    """A thread-safe list of arrivals, and of the clients that left before their answer was complete."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._abandoned: list[Arrival] = []

    def arrived(self, arrival: Arrival) -> None:
        """Note a request, before it is answered."""
        with self._changed:
            self._arrivals.append(arrival)
            self._changed.notify_all()

    def abandoned(self, arrival: Arrival) -> None:
        """Note that the client of this request hung up in the middle of its answer."""
        with self._changed:
            self._abandoned.append(arrival)
            self._changed.notify_all()

    @property
    def requests(self) -> list[Arrival]:
        """A copy of everything that arrived, oldest first."""
        with self._changed:
            return list(self._arrivals)

    @property
    def hang_ups(self) -> list[Arrival]:
        """A copy of the requests whose client left early."""
        with self._changed:
            return list(self._abandoned)

    def wait_until(self, happened: Callable[["Journal"], bool], timeout: float) -> bool:
        """Block until `happened(journal)` holds; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: happened(self), timeout)

    def clear(self) -> None:
        """Forget everything so far."""
        with self._changed:
            self._arrivals.clear()
            self._abandoned.clear()
