"""One execution environment: a process with AWS's Python runtime client, and the Runtime API that it calls."""

import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from pathlib import Path
from queue import SimpleQueue

from tests.local.api.body import Body
from tests.local.api.server import Answer, Request, Server
from tests.local.functions.invocation import ANSWER_LIMIT, Invocation, Outcome, Sink, failure
from tests.local.plan import FunctionPlan

INIT_SECONDS = 30.0
"""The timeout of the import of a handler, without `grace`. Lambda's is 10 s; a busy machine can be slower."""

_API = "/2018-06-01/runtime/"
_ACCEPTED = Answer(202, [("Content-Type", "application/json")], b'{"status":"OK"}')


class Environment:
    """Runs one event at a time and kills its process on a timeout; `usable` is False afterwards."""

    def __init__(
        self,
        plan: FunctionPlan,
        command: Sequence[str],
        variables: Mapping[str, str],
        directory: Path,
        log: int,
        grace: float = 0,
    ) -> None:
        """Start the process; `grace` seconds are added to the timeouts of Lambda and of the plan."""
        self._plan = plan
        self._timeout = plan.timeout + grace
        self._inbox: SimpleQueue[Invocation | None] = SimpleQueue()
        self._state = threading.Lock()
        self._current: Invocation | None = None
        self._ready = False
        self._over = False
        self._init_error: Outcome | None = None
        self._server = Server(self._answer, max_body=ANSWER_LIMIT, streams=_is_stream)
        self._process = subprocess.Popen(
            command,
            env={**variables, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}"},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._init_timer = _timer(INIT_SECONDS + grace, self._give_up_init)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def usable(self) -> bool:
        """Whether the environment can run another event."""
        return not self._over

    def run(self, event: bytes, sink: Sink | None = None) -> Outcome | None:
        """The outcome of one event; None if the process ended before it started the event.

        A streamed response is sent to `sink` while it arrives, or else is the outcome.
        """
        invocation = Invocation(event, sink)
        with self._state:
            if self._over:
                return None
            self._current = invocation
        self._inbox.put(invocation)
        if not invocation.ended_within(self._timeout):
            self._over = True
            invocation.end(_timed_out(invocation, self._timeout))
            self._process.kill()
        return invocation.outcome

    def stop(self) -> None:
        """Kill the process and wait for its end."""
        self._over = True
        self._process.kill()
        self._watcher.join()

    def _give_up_init(self) -> None:
        self._init_error = failure("Sandbox.Timedout", "Init timed out")
        self._process.kill()

    def _watch(self) -> None:
        code = self._process.wait()
        self._init_timer.cancel()
        with self._state:
            self._over = True
            invocation = self._current
        if invocation:
            lost = self._ready and not invocation.started
            exited = failure("Runtime.ExitError", f"RequestId: {invocation.id} Error: Runtime exited: {code}")
            invocation.end(None if lost else self._init_error or exited)
        self._inbox.put(None)
        self._server.stop()

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix(_API).split("/"):
            case "GET", ["invocation", "next"]:
                return self._next()
            case "POST", ["invocation", request_id, "response"]:
                return self._respond(request_id, request)
            case "POST", ["invocation", request_id, "error"]:
                self._end(request_id, Outcome(request.body, failed=True))
                return _ACCEPTED
            case "POST", ["init", "error"]:
                self._init_error = Outcome(request.body, failed=True)
                return _ACCEPTED
        return Answer(404)

    def _next(self) -> Answer:
        self._ready = True
        self._init_timer.cancel()
        invocation = self._inbox.get()
        if invocation is None:
            return Answer(410)
        return Answer(200, invocation.start(self._plan.name, self._timeout), invocation.event)

    def _respond(self, request_id: str, request: Request) -> Answer:
        if request.stream is not None:
            return self._pass_on(request_id, request.stream)
        if not request.oversized:
            self._end(request_id, Outcome(request.body))
            return _ACCEPTED
        self._over = True  # the runtime client exits when its response is rejected
        size = "Response payload size exceeded maximum allowed payload size"
        self._end(request_id, failure("Function.ResponseSizeTooLarge", f"{size} ({ANSWER_LIMIT} bytes)."))
        return Answer(413)

    def _pass_on(self, request_id: str, stream: Body) -> Answer:
        """Pass the pieces of a stream on as they arrive; its trailers may name an error."""
        invocation, received = self._current, bytearray()
        for piece in stream:
            (invocation.sink if invocation and invocation.sink else received.extend)(piece)
        error = stream.trailers.get("lambda-runtime-function-error-body")
        self._end(request_id, Outcome(b64decode(error), failed=True) if error else Outcome(bytes(received)))
        return _ACCEPTED

    def _end(self, request_id: str, outcome: Outcome) -> None:
        invocation = self._current
        if invocation and invocation.id == request_id:
            invocation.end(outcome)


def _is_stream(headers: Message) -> bool:
    return headers.get("Lambda-Runtime-Function-Response-Mode") == "streaming"


def _timed_out(invocation: Invocation, seconds: float) -> Outcome:
    message = f"RequestId: {invocation.id} Error: Task timed out after {seconds:.2f} seconds"
    return failure("Sandbox.Timedout", message)


def _timer(seconds: float, action: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer
