"""FakeOpenRouter: the double as tests and the local stack hold it."""

import json
import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Self

from tests.fakes.openrouter import script
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.http import Listener
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.script import Step
from tests.fakes.openrouter.world import World
from tests.timeouts import HANG_SECONDS

# Seconds that a stop may go unnoticed.
_POLL = 0.005


class FakeOpenRouter:
    """OpenRouter on loopback, from `start()` to `stop()` or for the length of a `with` block.

    It listens from the moment it is made, so `url` is known before it is started.
    """

    def __init__(self, port: int = 0) -> None:
        self._world = World()
        self._listener = Listener(port, self._world)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(_POLL,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, `/api/v1` included, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.server_port}/api/v1"

    @property
    def auth_url(self) -> str:
        """The page on which users allow a connection; this one says yes to whoever opens it."""
        return f"http://127.0.0.1:{self._listener.server_port}/auth"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Break off every answer, also a waiting one, and free the port."""
        self._world.stopping.set()
        if self._thread.is_alive():
            self._listener.shutdown()
        self._listener.drop_all(HANG_SECONDS)
        self._listener.server_close()

    def begin_again(self) -> None:
        """As new, at the same address; whatever is still being answered is broken off."""
        if self._world.stopping.is_set():
            self.__init__(self._listener.server_port)  # type: ignore[misc]
            self.start()
        else:
            self._world.stopping.set()
            self._world = self._listener.world = World()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What arrived

    @property
    def requests(self) -> list[Arrival]:
        """Everything that has arrived, oldest first; a copy."""
        return self._world.journal.requests

    @property
    def chat_requests(self) -> list[Arrival]:
        """The chat calls among them."""
        return [arrival for arrival in self.requests if arrival.is_chat]

    @property
    def hang_ups(self) -> list[Arrival]:
        """The requests whose client left before the answer was complete."""
        return self._world.journal.hang_ups

    def wait_for_chats(self, count: int = 1, timeout: float = HANG_SECONDS) -> bool:
        """Block until that many chat calls have arrived; False when they do not come in time."""
        happened = self._world.journal.wait_until
        return happened(lambda journal: sum(item.is_chat for item in journal.requests) >= count, timeout)

    def wait_for_hang_up(self, timeout: float = HANG_SECONDS) -> bool:
        """Block until some client has left early; False when none does in time."""
        return self._world.journal.wait_until(lambda journal: bool(journal.hang_ups), timeout)

    def forget_requests(self) -> None:
        """Start the record anew."""
        self._world.journal.clear()

    # The catalog

    @property
    def catalog(self) -> list[Json]:
        """The rows that are served and called; tests may change or replace them."""
        return self._world.catalog

    @catalog.setter
    def catalog(self, rows: Sequence[Json]) -> None:
        self._world.catalog, self._world.catalog_script = list(rows), None

    def serve_catalog(
        self,
        body: bytes = b"",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        chunks: Sequence[Step] = (),
        cut: bool = False,
    ) -> None:
        """Answer every GET /models with these bytes, until `catalog` is set again."""
        self._world.catalog_script = script.raw(status, body, headers, chunks, cut)

    def serve_key(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer every GET /key with these bytes, whoever asks, until `know_keys_again`."""
        self._world.key_script = script.raw(status, body, headers, (), cut=False)

    def know_keys_again(self) -> None:
        """End `serve_key`."""
        self._world.key_script = None

    # The answers to come

    def script(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        chunks: Sequence[Step] = (),
        cut: bool = False,
    ) -> None:
        """Queue the exact answer to a coming chat call, whoever makes it.

        `chunks` are sent one by one in place of `body`; a `threading.Event` among them holds the
        rest back until it is set. With `cut` the connection closes before the answer is finished.
        """
        self._world.queue.put(script.raw(status, body, headers, chunks, cut))

    def answer_next(self, *directives: str) -> None:
        """Queue directives ("error 429", "empty") for a coming chat call, in place of its prompt's."""
        self._world.queue.put(directives)

    # Keys for users who allow it

    @property
    def made_keys(self) -> list[str]:
        """The keys that codes were exchanged for, oldest first; a copy."""
        return list(self._world.consent.made_keys)

    def make_next(self, key: str) -> None:
        """Give out this key for a coming code, in place of a fresh one."""
        self._world.consent.next_keys.append(key)

    def script_exchange(self, status: int, body: bytes = b"", *, cut: bool = False) -> None:
        """Queue the exact answer to a coming exchange; its code stays as it is."""
        self._world.consent.scripts.append(script.raw(status, body, None, (), cut))

    def age_codes(self, seconds: float) -> None:
        """Let all codes grow older."""
        self._world.consent.passed += seconds

    # Accounts and generations

    @property
    def revoked_keys(self) -> set[str]:
        """Keys that OpenRouter does not know any more; add to it."""
        return self._world.accounts.revoked

    @property
    def generation_ids(self) -> list[str]:
        """The ids of all calls that reached a model, oldest first."""
        return self._world.generations.ids

    def keep_generation(self, key: str, record: str) -> None:
        """Know the record, as JSON, of a call that another double answered for `key`."""
        self._world.generations.keep(key, json.loads(record, parse_float=Decimal))

    @property
    def generation_lag(self) -> int:
        """How often /generation answers 404 about an id before it knows it; 1 unless set."""
        return self._world.generations.lag

    @generation_lag.setter
    def generation_lag(self, times: int) -> None:
        self._world.generations.lag = times

    def hold_generations(self) -> None:
        """Let /generation answer 404 about everything, until released."""
        self._world.generations.held = True

    def release_generations(self) -> None:
        """End `hold_generations`, and every lag with it."""
        self._world.generations.held = False
        self._world.generations.lag = 0
