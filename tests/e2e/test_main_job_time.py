"""Executions that exceed the timeout of the gateway or of the function, or whose process is killed."""

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

GATEWAY_MILLISECONDS = 2_000
"""The time limit of the execute route alone: the other routes may need a cold start."""

FUNCTION_SECONDS = 12
"""Eight seconds are reserved for closing the execution, which leaves four for the upstream request."""


@pytest.fixture(scope="module")
def short_timeout_world(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack with shorter timeouts and a synced catalog."""
    folder = tmp_path_factory.mktemp("short-timeouts")
    changed = folder / "template.yaml"
    changed.write_text(_with_short_timeout((ROOT / "template.yaml").read_text()))
    parameters = {"TimeoutInMillis": str(GATEWAY_MILLISECONDS)}
    with open_world(built, folder / "log", template=changed, parameters=parameters, grace=0) as opened:
        opened.sync()
        opened.connect("alice")
        yield opened


@pytest.fixture(scope="module")
def resource(short_timeout_world: World) -> str:
    made = str(short_timeout_world.resource("alice")["resource_id"])
    # The cold start may exceed the timeout of the gateway.
    short_timeout_world.execute("alice", "Hello", resource_id=made)
    _wait_for_end(short_timeout_world, 1)
    return made


def test_execution_is_recorded_after_the_gateway_timeout(short_timeout_world: World, resource: str) -> None:
    gate = threading.Event()
    short_timeout_world.fake.script(200, chunks=[gate, _answer()])
    reply = short_timeout_world.execute("alice", "Hello", resource_id=resource)
    assert (reply.status, reply.json["error"]["code"]) == (504, "deadline_exceeded")
    assert reply.json["error"]["retryable"] is False
    before = _newest(short_timeout_world)
    assert before["status"] == "SENT"
    gate.set()
    after = _wait_for_end(short_timeout_world, before["execution_id"])
    assert (after["status"], after["usage"]["cost_usd"]) == ("DONE", "0.000123")
    assert after["output"]["content"] == "At last."


def test_execution_stops_early_enough_to_be_recorded(short_timeout_world: World, resource: str) -> None:
    assert short_timeout_world.execute("alice", "[[fake: drip]]", resource_id=resource).status == 504
    ended = _wait_for_end(short_timeout_world, _newest(short_timeout_world)["execution_id"])
    assert (ended["status"], ended["error_code"]) == ("UNKNOWN", "deadline_exceeded")
    assert ended["usage"]["cost_usd"] is None, "the cost must be unknown"
    assert ended["error"]["retryable"] is False
    assert ended["latency_ms"] < (FUNCTION_SECONDS - 7) * 1000
    assert short_timeout_world.fake.wait_for_hang_up()


@pytest.mark.skipif(not PROC.exists(), reason="finds the process in /proc")
def test_execution_keeps_status_sent_after_its_process_dies(short_timeout_world: World, resource: str) -> None:
    short_timeout_world.fake.forget_requests()
    with ThreadPoolExecutor(1) as threads:
        short_timeout_world.fake.answer_next("slow 60")
        reply = threads.submit(short_timeout_world.execute, "alice", "Hello", resource_id=resource)
        assert short_timeout_world.fake.wait_for_chats()
        for pid in function_processes("ExecuteFunction", short_timeout_world.stack.aws_url):
            os.kill(pid, signal.SIGKILL)
        assert (reply.result().status, reply.result().json["error"]["code"]) == (502, "internal")
    assert _newest(short_timeout_world)["status"] == "SENT"
    _execute_until_answered(short_timeout_world, resource)


def _execute_until_answered(world: World, resource: str) -> None:
    """Execute until a new process answers; its cold start may exceed the timeout of the gateway."""
    deadline = time.monotonic() + HANG_SECONDS
    while world.execute("alice", "Hello", resource_id=resource).status != 200:
        assert time.monotonic() < deadline


def _newest(world: World) -> Any:
    return world.done(200, "alice", "GET", "/api/executions?limit=1")["data"][0]


def _wait_for_end(world: World, which: str | int) -> Any:
    """Wait until the execution with this id, or the newest of `which` executions, is no longer open; return it."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        runs = world.done(200, "alice", "GET", "/api/executions")["data"]
        found = [run for run in runs if run["execution_id"] == which] if isinstance(which, str) else runs[:which]
        if found and found[0]["status"] not in ("RESERVED", "SENT"):
            return world.done(200, "alice", "GET", f"/api/executions/{found[0]['execution_id']}")
    raise AssertionError(f"execution {which} was not closed")


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
