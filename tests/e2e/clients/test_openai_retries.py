"""What OpenAI's own clients repeat by themselves is not paid twice: their retries are at their default."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.clients.conftest import Sdk, Service
from tests.e2e.clients.cutting_proxy import CuttingProxy
from tests.e2e.processes import PROC, function_processes
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.e2e

SHORT_TIMEOUT = {"python": 1.0, "node": 1_000}
"""A client's time-out of one second, in its own unit."""

BEGINNING = 100
"""So many bytes of a body arrive before the connection is cut."""


def asked(service: Service, text: str) -> dict[str, Any]:
    return {"model": service.model("chat"), "messages": [{"role": "user", "content": text}]}


def run(sdk: Sdk, service: Service, function: str, text: str, url: str = "", **more: Any) -> Any:
    """Make one call with the client's default retries; return what it returned or raised."""
    calls = {"call": (function, asked(service, text))}
    return sdk.run(url or service.url, service.world.keys["alice"], calls, **more)["call"]


def ended(service: Service, text: str) -> Any:
    """Wait until the only execution with this text has ended; return it."""
    assert len(service.sent(text)) == 1, "the upstream was called once"
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        newest = service.executions()[0]
        if newest["status"] not in ("RESERVED", "SENT"):
            return newest
    raise AssertionError("the execution was not closed")


def text_of(completion: Any) -> str:
    return str(completion["choices"][0]["message"]["content"])


@pytest.mark.parametrize("fault", ["hang-up", "reset", "truncated"])
def test_unknown_outcome_is_not_repeated(sdk: Sdk, service: Service, fault: str) -> None:
    text = f"{sdk.name} loses its answer [[fake: {fault}]]"
    found = run(sdk, service, "chat", text)
    assert (found["raised"], found["code"]) == ("ConflictError", "outcome_unknown")
    assert ended(service, text)["status"] == "UNKNOWN"


@pytest.mark.parametrize("function", ["chat", "stream"])
def test_connection_that_is_cut_before_the_response_is_not_paid_twice(
    sdk: Sdk, service: Service, function: str
) -> None:
    text = f"{sdk.name} is cut off before its {function}"
    before = {execution["execution_id"] for execution in service.executions()}
    with CuttingProxy(service.url) as proxy:
        found = run(sdk, service, function, text, proxy.url)
        assert proxy.has_cut
    assert "raised" not in found
    execution = ended(service, text)
    assert execution["status"] == "DONE"
    after = [run for run in service.executions() if run["execution_id"] not in before]
    assert after == [execution]


def test_connection_that_is_cut_in_the_response_is_not_paid_twice(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} is cut off in its response"
    with CuttingProxy(service.url, BEGINNING) as proxy:
        run(sdk, service, "chat", text, proxy.url)
        assert proxy.has_cut
    assert ended(service, text)["status"] == "DONE"


def test_stream_that_is_cut_is_not_repeated_and_is_kept(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} is cut off in its stream"
    with CuttingProxy(service.url, BEGINNING) as proxy:
        run(sdk, service, "stream", text, proxy.url)
    execution = ended(service, text)
    assert execution["status"] == "DONE"
    shown = service.world.done(200, "alice", "GET", f"/api/executions/{execution['execution_id']}")
    assert shown["output"]["content"]


def test_time_out_of_the_client_is_not_paid_twice(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} has no patience"
    released = threading.Event()
    service.world.fake.script(200, chunks=[released, ANSWER])
    found = run(sdk, service, "chat", text, timeout=SHORT_TIMEOUT[sdk.name])
    released.set()
    assert found["raised"] in ("APITimeoutError", "APIConnectionTimeoutError")
    execution = ended(service, text)
    assert (execution["status"], execution["usage"]["cost_usd"]) == ("DONE", "0.000123")


def test_repeat_after_a_time_out_gets_the_answer_of_the_first_call(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} waits for the second time"
    released = threading.Event()
    service.world.fake.script(200, chunks=[released, ANSWER])
    with CuttingProxy(service.url) as proxy, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(run, sdk, service, "chat", text, proxy.url)
        assert service.world.fake.wait_for_chats()
        released.set()
        assert text_of(waiting.result(HANG_SECONDS)) == "At last."
    assert ended(service, text)["status"] == "DONE"


@pytest.mark.skipif(not PROC.exists(), reason="finds the process in /proc")
def test_failure_of_the_gateway_is_not_paid_twice(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} loses the function"
    service.world.fake.forget_requests()
    service.world.fake.script(200, chunks=[threading.Event()])
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(run, sdk, service, "chat", text)
        assert service.world.fake.wait_for_chats()
        for pid in function_processes("OpenaiFunction", service.world.stack.aws_url):
            os.kill(pid, signal.SIGKILL)
        found = waiting.result(HANG_SECONDS)
    assert (found["raised"], found["status_code"]) == ("InternalServerError", 502)
    assert len(service.sent(text)) == 1


def test_idempotency_key_of_the_caller_is_honoured(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} sends its own key"
    call = ("chat", asked(service, text) | {"extra_headers": {"Idempotency-Key": f"own-key-of-{sdk.name}"}})
    found = sdk.run(service.url, service.world.keys["alice"], {"first": call, "second": call})
    assert text_of(found["first"]) == text_of(found["second"])
    assert found["first"]["id"] == found["second"]["id"]
    assert len(service.sent(text)) == 1


def test_rate_limit_is_repeated_until_it_has_passed(sdk: Sdk, service: Service) -> None:
    text = f"{sdk.name} is too fast"
    service.world.fake.answer_next("error 429 0")
    found = run(sdk, service, "chat", text)
    assert text_of(found)
    assert len(service.sent(text)) == 2


ANSWER = (
    b'{"id": "gen-late", "model": "meadow/late", "provider": "Meadow", "choices": [{"index": 0, "message": '
    b'{"role": "assistant", "content": "At last."}, "finish_reason": "stop"}], '
    b'"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.000123}}'
)
