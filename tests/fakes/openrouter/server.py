"""FakeOpenRouter: the interface for tests and the local stack."""

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
from tests.fakes.openrouter.streams.holds import StreamHold
from tests.fakes.openrouter.world import World
from tests.timeouts import HANG_SECONDS

# The poll interval of the server thread, in seconds.
_POLL = 0.005


class FakeOpenRouter:
    """A fake OpenRouter on 127.0.0.1 that runs from `start()` to `stop()`, or during a `with` block.

    The constructor binds the port, so `url` is known before the server is started.
    """

    def __init__(self, port: int = 0) -> None:
        self._world = World()
        self._listener = Listener(port, self._world)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(_POLL,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, including `/api/v1`, without a trailing slash."""
        return f"http://127.0.0.1:{self._listener.server_port}/api/v1"

    @property
    def auth_url(self) -> str:
        """The page on which users grant consent; this one grants it to every request."""
        return f"http://127.0.0.1:{self._listener.server_port}/auth"

    def start(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Abort all running replies, including delayed ones, and release the port."""
        self._world.stopping.set()
        if self._thread.is_alive():
            self._listener.shutdown()
        self._listener.drop_all(HANG_SECONDS)
        self._listener.server_close()

    def begin_again(self) -> None:
        """Reset all state at the same address; running replies are aborted, and late requests belong to the past."""
        if self._world.stopping.is_set():
            self.__init__(self._listener.server_port)  # type: ignore[misc]
            self.start()
        else:
            self._world.stopping.set()
            self._listener.settle(HANG_SECONDS)
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

    # Requests

    @property
    def requests(self) -> list[Arrival]:
        """A copy of all requests, oldest first."""
        return self._world.journal.requests

    @property
    def chat_requests(self) -> list[Arrival]:
        """The chat completions among the requests."""
        return [arrival for arrival in self.requests if arrival.is_chat]

    @property
    def hang_ups(self) -> list[Arrival]:
        """The requests whose client disconnected before the reply was complete."""
        return self._world.journal.hang_ups

    def wait_for_chats(self, count: int = 1, timeout: float = HANG_SECONDS) -> bool:
        """Block until this many chat calls were received; return False on a timeout."""
        happened = self._world.journal.wait_until
        return happened(lambda journal: sum(item.is_chat for item in journal.requests) >= count, timeout)

    def wait_for_hang_up(self, timeout: float = HANG_SECONDS) -> bool:
        """Block until a client has disconnected early; return False on a timeout."""
        return self._world.journal.wait_until(lambda journal: bool(journal.hang_ups), timeout)

    def forget_requests(self) -> None:
        """Delete the recorded requests."""
        self._world.journal.clear()

    # The catalog

    @property
    def catalog(self) -> list[Json]:
        """The served models; tests can change or replace them."""
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
        """Answer every GET /key with these bytes, for any key, until `stop_serving_key`."""
        self._world.key_script = script.raw(status, body, headers, (), cut=False)

    def stop_serving_key(self) -> None:
        """End `serve_key`."""
        self._world.key_script = None

    # Scripted replies

    def script(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        chunks: Sequence[Step] = (),
        cut: bool = False,
    ) -> None:
        """Queue the exact reply to a later chat call, for any key.

        `chunks` are sent one by one in place of `body`; a `threading.Event` among them delays the
        rest until it is set. With `cut`, the connection closes before the reply is complete.
        """
        self._world.queue.put(script.raw(status, body, headers, chunks, cut))

    def answer_next(self, *directives: str) -> None:
        """Queue directives ("error 429", "empty") for a later chat call; they replace those of its prompt."""
        self._world.queue.put(directives)

    def hold_stream(self, after: int) -> StreamHold:
        """Hold the next streamed chat call after this number of chunks, until `release()` of the returned hold."""
        hold = StreamHold(after)
        self._world.holds.append(hold)
        return hold

    # Keys created with user consent

    @property
    def made_keys(self) -> list[str]:
        """A copy of the keys that were returned for codes, oldest first."""
        return list(self._world.consent.made_keys)

    def queue_key(self, key: str) -> None:
        """Queue a key to return for a later code, in place of a new one."""
        self._world.consent.next_keys.append(key)

    def script_exchange(self, status: int, body: bytes = b"", *, cut: bool = False) -> None:
        """Queue the exact reply to a later exchange; its code stays valid."""
        self._world.consent.scripts.append(script.raw(status, body, None, (), cut))

    def age_codes(self, seconds: float) -> None:
        """Increase the age of all codes."""
        self._world.consent.passed += seconds

    # Accounts and generations

    @property
    def revoked_keys(self) -> set[str]:
        """The set of revoked keys; tests add to it."""
        return self._world.accounts.revoked

    @property
    def generation_ids(self) -> list[str]:
        """The ids of all calls that a model served, oldest first."""
        return self._world.generations.ids

    def keep_generation(self, key: str, record: str) -> None:
        """Store the record (JSON) of a call that another double answered for `key`."""
        self._world.generations.keep(key, json.loads(record, parse_float=Decimal))

    @property
    def generation_lag(self) -> int:
        """How many lookups of an id get 404 before the record is returned; 1 by default."""
        return self._world.generations.lag

    @generation_lag.setter
    def generation_lag(self, times: int) -> None:
        self._world.generations.lag = times

    def hold_generations(self) -> None:
        """Answer every GET /generation with 404 until `release_generations`."""
        self._world.generations.held = True

    def release_generations(self) -> None:
        """End `hold_generations` and set the lag to 0."""
        self._world.generations.held = False
        self._world.generations.lag = 0
