"""The local Lambda: processes on demand, limits, failures and function environments."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awslambdaric
import pytest

from tests.local.functions.invocation import PAYLOAD_LIMIT, EventTooLarge, Outcome
from tests.local.functions.layout import Built, Layout
from tests.local.functions.pool import Functions
from tests.local.plan import FunctionPlan
from tests.local.toy.calling import CODE
from tests.local.toy.meeting import Meeting
from tests.timeouts import HANG_SECONDS

LIMIT = 5
NAMES = {"Act": "act", "Hasty": "act", "Echo": "echo", "Broken": "broken"}


def plan(name: str, timeout: int = int(HANG_SECONDS)) -> FunctionPlan:
    return FunctionPlan(name, f"functions.{NAMES[name]}.handler", timeout, 128, {"GIVEN": "1"}, ("Layer",), {}, ())


def functions_of(layout: Layout, *plans: FunctionPlan) -> Functions:
    return Functions({p.name: p for p in plans}, layout, "http://127.0.0.1:1", LIMIT, log=2)


@pytest.fixture(scope="module")
def functions() -> Iterator[Functions]:
    made = functions_of(CODE, plan("Act"), plan("Hasty", 3), plan("Echo"), plan("Broken"))
    yield made
    made.stop()


@pytest.fixture
def invoke(functions: Functions) -> Callable[[str, Any], Outcome]:
    return lambda name, event: functions.invoke(name, json.dumps(event).encode())


type Invoke = Callable[[str, Any], Outcome]


def test_runtime_reuses_an_idle_environment(invoke: Invoke) -> None:
    pids = {invoke("Act", {"do": "pid"}).content["body"] for _ in range(5)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


def test_runtime_starts_more_environments_up_to_the_limit(functions: Functions, invoke: Invoke) -> None:
    with Meeting() as meeting, ThreadPoolExecutor(LIMIT + 1) as threads:
        ends: list[Future[Outcome]] = [threads.submit(invoke, "Act", meeting.order) for _ in range(LIMIT + 1)]
        arrivals = [meeting.arrival() for _ in range(LIMIT)]
        assert functions["Act"].environments == LIMIT
        for arrival in arrivals:
            arrival.go_on("now")
        meeting.arrival().go_on("now")  # the call over the limit reuses a released environment
        assert {end.result().content["body"] for end in ends} == {"now"}
    assert functions["Act"].environments == LIMIT


def test_timeout_kills_the_process_and_next_call_starts_another(functions: Functions, invoke: Invoke) -> None:
    with Meeting() as meeting, ThreadPoolExecutor(1) as threads:
        end = threads.submit(invoke, "Hasty", meeting.order)
        assert meeting.arrival().died()
    assert end.result().failed
    assert end.result().content["errorType"] == "Sandbox.Timedout"
    assert "timed out after 3.00 seconds" in end.result().content["errorMessage"]
    functions["Hasty"].plan = plan("Hasty")
    assert not invoke("Hasty", {"do": "pid"}).failed


def test_exception_is_returned_and_keeps_the_process(invoke: Invoke) -> None:
    before = invoke("Act", {"do": "pid"}).content
    outcome = invoke("Act", {"do": "raise"})
    assert outcome.failed
    assert (outcome.content["errorType"], outcome.content["errorMessage"]) == ("ValueError", "as ordered")
    assert invoke("Act", {"do": "pid"}).content == before


def test_crash_is_returned_and_next_call_starts_another_process(invoke: Invoke) -> None:
    before = invoke("Act", {"do": "pid"}).content
    assert invoke("Act", {"do": "crash"}).content["errorType"] == "Runtime.ExitError"
    assert invoke("Act", {"do": "pid"}).content != before


def test_handler_import_error_returns_its_reason(functions: Functions, invoke: Invoke) -> None:
    for _ in range(2):
        outcome = invoke("Broken", {})
        assert outcome.failed
        assert outcome.content["errorMessage"] == "import failed"
    assert functions["Broken"].environments <= 1


def test_runtime_rejects_responses_over_6_mb(invoke: Invoke) -> None:
    assert not invoke("Act", {"do": "big", "size": PAYLOAD_LIMIT - 100}).failed
    assert (
        invoke("Act", {"do": "big", "size": PAYLOAD_LIMIT + 200}).content["errorType"]
        == "Function.ResponseSizeTooLarge"
    )
    assert not invoke("Act", {"do": "pid"}).failed


def test_runtime_rejects_events_over_6_mb(functions: Functions) -> None:
    with pytest.raises(EventTooLarge):
        functions.invoke("Act", b'"' + b"x" * PAYLOAD_LIMIT + b'"')


def test_function_sees_only_its_own_environment(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    environment = json.loads(invoke("Echo", {}).content["body"])["environment"]
    assert environment["GIVEN"] == "1"
    assert environment["AWS_ACCESS_KEY_ID"] == "Echo"
    unexpected = {name for name in environment if not name.startswith("AWS_")} - {
        *("GIVEN", "LAMBDA_TASK_ROOT", "_HANDLER", "PATH", "LANG", "TZ", "PYTHONPATH", "_X_AMZN_TRACE_ID"),
        "LC_CTYPE",  # set by Python
    }
    assert unexpected == set()


def test_built_code_does_not_see_the_virtual_environment(tmp_path: Path) -> None:
    packages = Path(awslambdaric.__file__).parents[1]
    layer, code = tmp_path / "Layer/python", tmp_path / "Echo/functions"
    layer.mkdir(parents=True)
    code.mkdir(parents=True)
    for package in [*packages.glob("awslambdaric"), *packages.glob("runtime_client*"), *packages.glob("simplejson")]:
        (layer / package.name).symlink_to(package)
    (code / "echo.py").write_text("import sys\nhandler = lambda event, context: [sys.path, __file__]\n")
    (code / "broken.py").write_text("import yaml\n")
    (tmp_path / "Broken").symlink_to(tmp_path / "Echo")
    built = functions_of(Built(tmp_path), plan("Echo"), plan("Broken"))
    try:
        path, file = built.invoke("Echo", b"{}").content
        assert Path(file) == code / "echo.py"
        assert [entry for entry in path if "site-packages" in entry] == []
        assert "No module named 'yaml'" in built.invoke("Broken", b"{}").content["errorMessage"]
    finally:
        built.stop()


def test_runtime_stop_ends_running_calls() -> None:
    stopped = functions_of(CODE, plan("Act"))
    with Meeting() as meeting, ThreadPoolExecutor(1) as threads:
        end = threads.submit(stopped.invoke, "Act", b'{"do": "wait", "port": %d}' % meeting.port)
        arrival = meeting.arrival()
        stopped.stop()
        assert end.result().failed
        assert arrival.died()
    assert stopped.invoke("Act", b"{}").failed
