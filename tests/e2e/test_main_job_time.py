"""Executions that take too long for the gateway or the function, or whose process dies."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.processes import PROC, function_processes
from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built
from tests.local.stack import ROOT
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.e2e

GATEWAY_SECONDS = 2.0
FUNCTION_SECONDS = 12
"""Eight of them are kept for closing the books, which leaves upstream four."""


@pytest.fixture(scope="module")
def hasty(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack with shorter limits, its functions warm, a resource in it."""
    folder = tmp_path_factory.mktemp("hasty")
    changed = folder / "template.yaml"
    changed.write_text(_with_short_timeout((ROOT / "template.yaml").read_text()))
    with open_world(built, folder / "log", template=changed, gateway_timeout=GATEWAY_SECONDS, grace=0) as opened:
        opened.sync()
        opened.connect("alice")
        yield opened


@pytest.fixture(scope="module")
def resource(hasty: World) -> str:
    made = str(hasty.resource("alice")["resource_id"])
    hasty.execute("alice", "Hello", resource_id=made)  # warm, or too late for the gateway
    _ended(hasty, 1)
    return made


def test_execution_is_recorded_after_the_gateway_timeout(hasty: World, resource: str) -> None:
    gate = threading.Event()
    hasty.fake.script(200, chunks=[gate, _answer()])
    reply = hasty.execute("alice", "Hello", resource_id=resource)
    assert (reply.status, reply.json["error"]["code"]) == (504, "deadline_exceeded")
    assert reply.json["error"]["retryable"] is False
    before = _newest(hasty)
    assert before["status"] == "SENT"
    gate.set()
    after = _ended(hasty, before["execution_id"])
    assert (after["status"], after["usage"]["cost_usd"]) == ("DONE", "0.000123")
    assert after["output"]["content"] == "At last."


def test_execution_stops_early_enough_to_be_recorded(hasty: World, resource: str) -> None:
    assert hasty.execute("alice", "[[fake: drip]]", resource_id=resource).status == 504
    ended = _ended(hasty, _newest(hasty)["execution_id"])
    assert (ended["status"], ended["error_code"]) == ("UNKNOWN", "deadline_exceeded")
    assert ended["usage"]["cost_usd"] is None, "what it cost is not known"
    assert ended["error"]["retryable"] is False
    assert ended["latency_ms"] < (FUNCTION_SECONDS - 7) * 1000
    assert hasty.fake.wait_for_hang_up()


@pytest.mark.skipif(not PROC.exists(), reason="finds the process in /proc")
def test_execution_keeps_status_sent_after_its_process_dies(hasty: World, resource: str) -> None:
    hasty.fake.forget_requests()
    with ThreadPoolExecutor(1) as threads:
        hasty.fake.answer_next("slow 60")
        reply = threads.submit(hasty.execute, "alice", "Hello", resource_id=resource)
        assert hasty.fake.wait_for_chats()
        for pid in function_processes("ExecuteFunction", hasty.stack.aws_url):
            os.kill(pid, signal.SIGKILL)
        assert (reply.result().status, reply.result().json["error"]["code"]) == (502, "internal")
    assert _newest(hasty)["status"] == "SENT"
    _until_answered(hasty, resource)


def _until_answered(world: World, resource: str) -> None:
    """The next caller gets a fresh process; a cold one may be too slow for this gateway the first time."""
    until = time.monotonic() + HANG_SECONDS
    while world.execute("alice", "Hello", resource_id=resource).status != 200:
        assert time.monotonic() < until


def _newest(world: World) -> Any:
    return world.done(200, "alice", "GET", "/api/executions?limit=1")["data"][0]


def _ended(world: World, which: str | int) -> Any:
    """The execution with this id, or the newest of so many, once its end is booked."""
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        runs = world.done(200, "alice", "GET", "/api/executions")["data"]
        found = [run for run in runs if run["execution_id"] == which] if isinstance(which, str) else runs[:which]
        if found and found[0]["status"] not in ("RESERVED", "SENT"):
            return world.done(200, "alice", "GET", f"/api/executions/{found[0]['execution_id']}")
    raise AssertionError(f"the end of {which} was not booked")


def _with_short_timeout(template: str) -> str:
    head, function, rest = template.partition("  ExecuteFunction:")
    assert "Timeout: 120" in rest
    return head + function + rest.replace("Timeout: 120", f"Timeout: {FUNCTION_SECONDS}", 1)


def _answer() -> bytes:
    return (
        b'{"id": "gen-late", "model": "meadow/late", "provider": "Meadow", "choices": [{"index": 0, "message": '
        b'{"role": "assistant", "content": "At last."}, "finish_reason": "stop"}], '
        b'"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.000123}}'
    )
