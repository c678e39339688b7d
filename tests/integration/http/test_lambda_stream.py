"""Streams through AWS's runtime client, in two versions: each piece is posted before the next one is produced."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import pytest

from tests.local.api.server import Answer, Request, Server
from tests.local.functions.invocation import Invocation, Outcome
from tests.local.functions.runtime import Environment
from tests.local.plan import FunctionPlan
from tests.local.toy.calling import CODE
from tests.local.toy.meeting import Meeting
from tests.timeouts import HANG_SECONDS

OLD_CLIENT = Path(__file__).parents[3] / ".awslambdaric-3"
"""The newest version of the previous major version, installed by `make setup`."""

HANDLER = "functions.streamer.handler"
EVENT: dict[str, Any] = {
    "httpMethod": "POST",
    "resource": "/stream",
    "path": "/stream",
    "headers": {"Content-Type": "application/json"},
    "requestContext": {},
}
UNKNOWN_CLIENT = f"""
from awslambdaric import __main__, lambda_runtime_client
del lambda_runtime_client.LambdaRuntimeClient  # the client that runs has no known name
__main__.main(["", "{HANDLER}"])
"""


@dataclass
class Function:
    """A function under the runtime client; `pieces` are those that the Runtime API has received."""

    environment: Environment
    log: IO[str]
    pieces: SimpleQueue[bytes] = field(default_factory=SimpleQueue)

    def run(self, *steps: str, event: Any = EVENT) -> Outcome:
        """The outcome of one event, which orders these steps."""
        sent = {**event, "body": json.dumps({"steps": steps} if steps else {})} if event is EVENT else event
        outcome = self.environment.run(json.dumps(sent).encode(), self.pieces.put)
        assert outcome
        return outcome

    def head(self) -> dict[str, Any]:
        """Receive the prelude, which is one piece."""
        text, end, rest = self.pieces.get(timeout=HANG_SECONDS).partition(bytes(8))
        assert (len(end), rest) == (8, b"")
        return dict(json.loads(text))

    def next(self) -> bytes:
        """Receive the next piece of the body."""
        return self.pieces.get(timeout=HANG_SECONDS)

    def logged(self) -> str:
        """Return what the function has logged."""
        self.log.seek(0)
        return self.log.read()


def variables_of(client: Path | None) -> dict[str, str]:
    """The environment of the function's process."""
    return {
        "PYTHONPATH": ":".join(map(str, [*([client] if client else []), *CODE.roots])),
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "Streamer",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }


@contextmanager
def opened(tmp_path: Path, *command: str, client: Path | None = None) -> Iterator[Function]:
    """Run the function with this program and this version of the runtime client."""
    plan = FunctionPlan("Streamer", HANDLER, 890, 128, {}, (), {}, ())
    with (tmp_path / "log").open("w+") as log:
        environment = Environment(plan, [sys.executable, *command], variables_of(client), CODE.roots[0], log.fileno())
        try:
            yield Function(environment, log)
        finally:
            environment.stop()


@pytest.fixture(params=["pinned", "previous"])
def function(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Function]:
    """A function under each version of the runtime client."""
    client = OLD_CLIENT if request.param == "previous" else None
    if client and not client.exists():
        pytest.skip(f"{client.name} is missing: run `make setup`")
    with opened(tmp_path, "-m", "awslambdaric", HANDLER, client=client) as function:
        yield function


def test_both_versions_of_the_client_are_tested(tmp_path: Path) -> None:
    if not OLD_CLIENT.exists():
        pytest.skip(f"{OLD_CLIENT.name} is missing: run `make setup`")
    program = "import sys, awslambdaric; print(awslambdaric.__version__, file=sys.stderr); raise SystemExit"
    versions = []
    for client in (None, OLD_CLIENT):
        with opened(tmp_path, "-c", program, client=client) as function:
            function.environment.run(b"{}")  # returns when the process has ended
            versions.append(function.logged().split(".")[0])
    assert versions == ["4", "3"]


def test_each_piece_is_posted_before_the_next_is_produced(function: Function) -> None:
    with Meeting() as meeting, ThreadPoolExecutor(1) as threads:
        wait = f"wait {meeting.port}"
        end = threads.submit(function.run, wait, "start", wait, "send Zażółć", wait, "fill 3000000", "send !")
        assert function.pieces.empty()
        meeting.arrival().go_on()
        assert function.head() == {
            "statusCode": 200,
            "headers": {
                "Content-Type": "text/event-stream",
                "X-Content-Type-Options": "nosniff",
                "Strict-Transport-Security": "max-age=63072000",
            },
            "multiValueHeaders": {"X-Many": ["1", "2"]},
        }
        assert function.pieces.empty()
        meeting.arrival().go_on()
        assert function.next() == "Zażółć".encode()
        assert function.pieces.empty()
        meeting.arrival().go_on()
        large = b""
        while len(large) < 3_000_000:
            large += function.next()
        assert (large, function.next()) == (b"x" * 3_000_000, b"!")
        assert end.result() == Outcome(b"")
        assert function.pieces.empty()


def test_error_before_the_start_is_a_response_of_its_own_status(function: Function) -> None:
    assert function.run("fail") == Outcome(b"")
    assert function.head()["statusCode"] == 500
    assert json.loads(function.next())["error"]["code"] == "internal"


def test_error_after_the_start_is_reported_in_the_trailers(function: Function) -> None:
    outcome = function.run("start", "send a", "fail")
    assert (function.head()["statusCode"], function.next()) == (200, b"a")
    assert (outcome.failed, outcome.content["errorType"]) == (True, "Function.ValueError")
    assert "secret" not in outcome.content["errorMessage"]
    assert "a stream was cut off" in function.logged()


def test_response_that_is_no_stream_has_a_prelude(function: Function) -> None:
    assert function.run() == Outcome(b"")
    assert function.head()["headers"]["Content-Type"] == "application/json"
    assert json.loads(function.next())["left"] > 0


def test_invalid_body_is_an_error_response_with_a_prelude(function: Function) -> None:
    function.run(event={**EVENT, "body": "[]"})
    assert function.head()["statusCode"] == 400
    assert json.loads(function.next())["error"]["code"] == "malformed"


def test_only_streams_have_all_the_time_of_the_invocation(function: Function) -> None:
    function.run()
    function.head()
    assert json.loads(function.next())["left"] <= 280_000
    function.run("start", "left")
    function.head()
    assert int(function.next()) > 280_000


@pytest.mark.parametrize("event", [{"source": "aws.events"}, [1], "text", None])
def test_event_that_is_no_request_is_ignored_and_logged(function: Function, event: Any) -> None:
    assert function.run(event=event) == Outcome(b"null")
    assert "no HTTP request" in function.logged()
    assert function.pieces.empty()


class LosingApi:
    """A Runtime API that closes the connection after the first piece of a stream, and then gives the next event."""

    def __init__(self, *events: bytes) -> None:
        """Give these events, one after the other."""
        self.server = Server(self._answer, streams=lambda headers: "Transfer-Encoding" in headers)
        self.ended: SimpleQueue[bytes] = SimpleQueue()
        self._events = iter(events)

    def _answer(self, request: Request) -> Answer:
        if request.method == "GET":
            invocation = Invocation(next(self._events))
            return Answer(200, invocation.start("Streamer", 890), invocation.event)
        if request.stream:
            next(iter(request.stream))
            raise ConnectionError
        self.ended.put(request.body)
        return Answer(202)


@pytest.mark.parametrize("client", [None, OLD_CLIENT])
def test_run_goes_on_when_its_stream_is_lost(tmp_path: Path, client: Path | None) -> None:
    if client and not client.exists():
        pytest.skip(f"{client.name} is missing: run `make setup`")
    with Meeting() as meeting:
        steps = ["start", f"wait {meeting.port}", "fill 9000000", "send b", f"wait {meeting.port}"]
        api = LosingApi(json.dumps({**EVENT, "body": json.dumps({"steps": steps})}).encode(), b"{}")
        variables = {**variables_of(client), "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.port}"}
        with (tmp_path / "log").open("w+") as log:
            program = [sys.executable, "-m", "awslambdaric", HANDLER]
            process = subprocess.Popen(program, env=variables, cwd=CODE.roots[0], stdout=log, stderr=log)
            try:
                meeting.arrival().go_on()
                meeting.arrival().go_on()
                assert api.ended.get(timeout=HANG_SECONDS) == b"null"
            finally:
                process.kill()
                process.wait()
                api.server.stop()
            log.seek(0)
            assert log.read().count("whose execution goes on") == 1


def test_unknown_client_sends_a_stream_as_a_whole_and_logs_it_once(tmp_path: Path) -> None:
    with opened(tmp_path, "-c", UNKNOWN_CLIENT) as function:
        for _ in range(2):
            outcome = function.run("start", "left", "send !")
            head, _, body = outcome.payload.partition(bytes(8))
            assert (outcome.failed, json.loads(head)["headers"]["Content-Type"]) == (False, "text/event-stream")
            assert int(body.removesuffix(b"!")) <= 280_000
        assert json.loads(function.run("fail").payload.partition(bytes(8))[0])["statusCode"] == 500
        assert function.pieces.empty()
        assert function.logged().count("cannot be extended") == 1
