"""Repeats without an idempotency key join the request that they repeat: nothing is paid twice."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from instant.adapters.executions.retry_pointers import DynamoRetryPointers
from instant.domain.errors import LimitsUnavailable
from instant.domain.exchange import Request
from instant.ports.executions.retry_pointers import RetryPointer
from instant.ports.upstream import Upstream
from instant.use_cases.executions.streams.join import MAX_AGE_SECONDS
from tests.fakes.aws_faults import failure, faults
from tests.fakes.clock import SleeplessClock
from tests.integration.app import Answer, App, set_clock
from tests.integration.aws_calls import one_at_a_time
from tests.timeouts import HANG_SECONDS

CHAT = "/v1/chat/completions"
NOW = 1_795_378_644_000
FUNCTION = "OpenaiFunction"


@pytest.fixture
def model(seeded: App) -> str:
    """The address of a resource."""
    return str(seeded.resource(visibility="public")["address"])


@dataclass
class Client:
    """A client that counts its attempts."""

    app: App
    model: str

    def ask(self, attempt: int, after_ms: int = 0, prompt: str = "Say hello.", **more: Any) -> Answer:
        """Send the request as this attempt; the gateway receives it after this time."""
        headers = {"X-Stainless-Retry-Count": str(attempt), **more.pop("headers", {})}
        body = {"model": self.model, "messages": [{"role": "user", "content": prompt}], **more.pop("body", {})}
        return self.app.call("POST", CHAT, body, headers=headers, received_at=NOW + after_ms, **more)

    @property
    def paid(self) -> int:
        """The number of calls that reached a model."""
        return len(self.app.fake.generation_ids)

    @property
    def rows(self) -> int:
        """The number of executions."""
        return len(self.app.table("EXECUTIONS_TABLE"))


@pytest.fixture
def client(seeded: App, model: str) -> Client:
    return Client(seeded, model)


def said(answer: Answer) -> tuple[str, str]:
    """Return the id and the text of an answer."""
    assert answer.status == 200, answer.text
    return answer.json["id"], answer.json["choices"][0]["message"]["content"]


class HeldUpstream:
    """An upstream that holds the first request until it is opened, or until a second one shows that nothing waits."""

    def __init__(self, upstream: Upstream) -> None:
        """Hold the requests to this upstream."""
        self._upstream = upstream
        self.reached = threading.Event()
        self.opened = threading.Event()

    def open(self, request: Request, **more: Any) -> Any:
        """Send the request when it is no longer held."""
        if self.reached.is_set():
            self.opened.set()
        self.reached.set()
        assert self.opened.wait(HANG_SECONDS)
        return self._upstream.open(request, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upstream, name)


class OpeningClock(SleeplessClock):
    """A clock that calls back when something has waited twice."""

    def __init__(self, callback: Callable[[], None]) -> None:
        """Call `callback` at the second wait."""
        super().__init__()
        self._callback = callback

    def sleep(self, seconds: float) -> None:
        """Record the wait."""
        super().sleep(seconds)
        if len(self.waits) == 2:
            self._callback()


@contextmanager
def held_upstream(app: App) -> Iterator[HeldUpstream]:
    """Hold the requests to the upstream until a request has waited twice for another."""
    module = app.module(FUNCTION)
    before = module.deps
    held = HeldUpstream(before.upstream)
    module.deps = replace(before, upstream=held)
    set_clock(app, OpeningClock(held.opened.set), FUNCTION)
    try:
        with one_at_a_time():
            yield held
    finally:
        held.opened.set()
        module.deps = before


def race(client: Client, first: Callable[[], Answer], second: Callable[[], Answer]) -> tuple[Answer, Answer]:
    """Send the second request while the first one is at the upstream, and return both answers."""
    with held_upstream(client.app) as held, ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert held.reached.wait(HANG_SECONDS)
        two = pool.submit(second)
        return one.result(HANG_SECONDS), two.result(HANG_SECONDS)


def test_repeat_of_an_answered_request_gets_its_answer(client: Client) -> None:
    first, repeat = client.ask(0), client.ask(1, 5_000)
    assert said(first) == said(repeat)
    assert (client.paid, client.rows) == (1, 1)


def test_repeat_of_a_running_request_waits_for_its_answer(client: Client) -> None:
    first, repeat = race(client, lambda: client.ask(0), lambda: client.ask(1, 5_000))
    assert said(first) == said(repeat)
    assert (client.paid, client.rows) == (1, 1)


def test_request_that_its_repeat_has_overtaken_waits_for_its_answer(client: Client) -> None:
    """The first attempt waited for a cold start, for example."""
    repeat, first = race(client, lambda: client.ask(1, 5_000), lambda: client.ask(0))
    assert said(first) == said(repeat)
    assert (client.paid, client.rows) == (1, 1)


def test_repeat_of_a_request_that_never_arrived_is_executed_once(client: Client) -> None:
    first, second = client.ask(1), client.ask(2, 5_000)
    assert said(first) == said(second)
    assert client.paid == 1


class ForgetfulPointers(DynamoRetryPointers):
    """Faulty pointers: every request is its own."""

    def begin(self, name: str, pointer: RetryPointer) -> RetryPointer:
        """Remember nothing."""
        return pointer

    def join(self, name: str, pointer: RetryPointer, *, since: int) -> RetryPointer:
        """Find nothing."""
        return pointer


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_without_pointers_repeats_would_be_paid_twice(client: Client, order: tuple[int, int]) -> None:
    """The tests above detect it."""
    module = client.app.module(FUNCTION)
    before, module.pointers = module.pointers, ForgetfulPointers(client.app.name("LIMITS_TABLE"))
    try:
        for attempt in order:
            said(client.ask(attempt, 5_000 * attempt))
    finally:
        module.pointers = before
    assert client.paid == 2


def test_first_attempts_are_executed_each(client: Client) -> None:
    assert said(client.ask(0))[0] != said(client.ask(0, 1))[0]
    assert client.paid == 2


def test_requests_of_clients_that_do_not_count_are_executed_each(client: Client) -> None:
    for headers in ({}, {"X-Stainless-Retry-Count": "many"}, {"X-Stainless-Retry-Count": ""}):
        body = {"model": client.model, "messages": [{"role": "user", "content": "Say hello."}]}
        said(client.app.call("POST", CHAT, body, headers=headers))
    assert client.paid == 3


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Say hello!"},
        {"body": {"temperature": 0.5}},
        {"key_id": "key_2", "user": "alice"},
        {"after_ms": (MAX_AGE_SECONDS + 1) * 1000},
    ],
    ids=["message", "field", "API key", "time"],
)
def test_other_requests_are_not_joined(client: Client, other: dict[str, Any]) -> None:
    said(client.ask(0, key_id="key_1"))
    said(client.ask(1, **{"after_ms": 5_000, "key_id": "key_1", **other}))
    assert client.paid == 2


def test_requests_of_other_users_are_not_joined(client: Client) -> None:
    client.app.connect("bob", "sk-or-v1-" + "b" * 64)
    assert said(client.ask(0))[0] != said(client.ask(1, 5_000, user="bob"))[0]
    assert client.paid == 2


def test_requests_to_other_routes_are_not_joined(seeded: App, client: Client) -> None:
    body = json.dumps({"model": client.model, "messages": [{"role": "user", "content": "Say hello."}]})
    headers = {"X-Stainless-Retry-Count": "1", "Content-Type": "application/json"}
    said(client.ask(0))
    answer = seeded.call("POST", "/v1/embeddings", raw=body, headers=headers, received_at=NOW + 5_000)
    assert answer.status == 400


def test_key_that_is_sent_is_used_as_it_is(client: Client) -> None:
    keys = [{"Idempotency-Key": key} for key in ("a", "a", "b")]
    ids = [said(client.ask(attempt, 5_000 * attempt, headers=key))[0] for attempt, key in enumerate(keys)]
    assert (ids[0] == ids[1], ids[1] == ids[2], client.paid) == (True, False, 2)


@pytest.mark.parametrize("attempt", [0, 1])
def test_nothing_is_sent_if_repeats_cannot_be_recognized(client: Client, attempt: int) -> None:
    client.app.module(FUNCTION)
    with faults("UpdateItem", failure("AccessDeniedException"), where="join#") as calls:
        answer = client.ask(attempt)
    assert (answer.status, answer.code, answer.headers["x-should-retry"]) == (503, "limits_unavailable", "true")
    assert len(calls.bodies) == 1
    assert (client.paid, client.rows, client.app.fake.chat_requests) == (0, 0, [])


def test_failure_without_cost_is_executed_again_by_its_repeat(client: Client) -> None:
    client.app.fake.answer_next("error 503 9")
    first = client.ask(0)
    assert (first.status, first.code, first.headers["x-should-retry"]) == (503, "upstream_unavailable", "true")
    assert said(client.ask(1, 5_000))
    assert (client.paid, client.rows) == (1, 2)


def test_failure_without_cost_is_executed_again_even_if_it_was_not_forgotten_at_first(client: Client) -> None:
    client.app.fake.answer_next("error 503 9")
    with unforgettable(client.app):
        first = client.ask(0)
    second, third = client.ask(1, 5_000), client.ask(2, 10_000)
    assert [(each.status, each.headers["x-should-retry"]) for each in (first, second)] == [(503, "true")] * 2
    assert second.json == first.json
    assert said(third)
    assert (client.paid, client.rows) == (1, 2)


@contextmanager
def unforgettable(app: App) -> Iterator[None]:
    """Fail to forget."""

    class Pointers(DynamoRetryPointers):
        def forget(self, name: str, key: str) -> None:
            raise RuntimeError

    module = app.module(FUNCTION)
    before, module.pointers = module.pointers, Pointers(app.name("LIMITS_TABLE"))
    try:
        yield
    finally:
        module.pointers = before


@pytest.mark.parametrize("directive", ["hang-up", "not-json", "error 524", "truncated", "empty"])
def test_what_may_have_cost_is_neither_repeated_nor_sent_again(client: Client, directive: str) -> None:
    prompt = f"[[fake: {directive}]]"
    answers = [client.ask(attempt, 5_000 * attempt, prompt) for attempt in range(3)]
    assert [(answer.status, answer.headers["x-should-retry"]) for answer in answers] == [(409, "false")] * 3
    assert len(client.app.fake.chat_requests) == 1


def test_waiting_ends_with_the_time_of_the_invocation(client: Client) -> None:
    with held_upstream(client.app) as held, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.ask, 0)
        assert held.reached.wait(HANG_SECONDS)
        client.app.seconds = 5
        repeat = client.ask(1, 5_000)
        held.opened.set()
        said(first.result(HANG_SECONDS))
    assert (repeat.status, repeat.code, repeat.headers["x-should-retry"]) == (409, "in_progress", "true")
    assert client.paid == 1


def test_repeat_of_a_stream_gets_the_whole_answer(client: Client) -> None:
    body = {"stream": True}
    first, repeat = race(client, lambda: client.ask(0, body=body), lambda: client.ask(1, 5_000, body=body))
    assert text_of(first) == text_of(repeat) != ("", "")
    assert (client.paid, client.rows) == (1, 1)


def text_of(answer: Answer) -> tuple[str, str]:
    """Return the id and the text of a stream."""
    assert answer.status == 200, answer.text
    *chunks, done = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    assert done == "[DONE]"
    deltas = [json.loads(chunk)["choices"][0]["delta"] for chunk in chunks]
    return json.loads(chunks[0])["id"], "".join(delta.get("content", "") for delta in deltas)


def test_repeat_after_the_time_limit_of_clients_joins(client: Client) -> None:
    """Official clients wait ten minutes, then some seconds more."""
    first, repeat = client.ask(0), client.ask(1, 610_000)
    assert said(first) == said(repeat)
    assert client.paid == 1


class SlowPointers(DynamoRetryPointers):
    """Pointers with which a first attempt is overtaken by something, as soon as it has its own."""

    def __init__(self, limits_table: str, overtake: Callable[[], object]) -> None:
        """Call `overtake` when the pointer of a first attempt is stored."""
        super().__init__(limits_table)
        self._overtake = overtake

    def begin(self, name: str, pointer: RetryPointer) -> RetryPointer:
        """Store the pointer."""
        stored = super().begin(name, pointer)
        self._overtake()
        return stored


class UnreadableOnce:
    """Facts that cannot be read the first time."""

    def __init__(self, facts: Any) -> None:
        """Read from `facts` later."""
        self._facts = facts
        self._fails = True

    def __getattr__(self, name: str) -> Any:
        if self._fails:
            self._fails = False
            raise LimitsUnavailable("Later.")
        return getattr(self._facts, name)


def test_repeat_that_fails_before_the_call_takes_no_key_from_the_first_attempt(client: Client) -> None:
    """The first attempt is still being prepared then, and later repeats must join it."""
    module, repeats = client.app.module(FUNCTION), list[Answer]()
    before = module.deps, module.pointers
    module.deps = replace(module.deps, facts=UnreadableOnce(module.deps.facts))
    module.pointers = SlowPointers(client.app.name("LIMITS_TABLE"), lambda: repeats.append(client.ask(1, 5_000)))
    try:
        first, last = client.ask(0), client.ask(2, 10_000)
    finally:
        module.deps, module.pointers = before
    assert [(each.code, each.headers["x-should-retry"]) for each in repeats] == [("limits_unavailable", "true")]
    assert said(first) == said(last)
    assert client.paid == 1
