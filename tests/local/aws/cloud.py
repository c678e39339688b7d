"""The simulated AWS: moto in a separate process, with one call at a time.

Calls are serialized because moto loses concurrent updates. It runs in its own process because its
state is global and every `mock_aws` of a test resets it.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.local.api.server import Answer, Request

_PROGRAM = Path(__file__).with_name("cloud_process.py")


class Cloud:
    """Starts moto without waiting until the first call; ends with `stop` or with this process."""

    def __init__(self) -> None:
        """Start the process."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,
                start_new_session=True,
            )
        self._pipe = Connection(ours.detach())
        self._one_call = threading.Lock()

    def call(self, request: Request) -> Answer:
        """Return moto's response to an AWS API call; calls are serialized."""
        message = ("http", request.method, request.target, request.headers, request.body)
        return Answer(*self._ask(message))

    def matching(self, patterns: Sequence[str], event: Mapping[str, Any]) -> list[bool]:
        """Return for each EventBridge pattern (JSON) whether it matches the event."""
        answers: list[bool] = self._ask(("match", list(patterns), json.dumps(event)))
        return answers

    def stop(self) -> None:
        """End the process and discard its state."""
        self._process.kill()
        self._process.wait()
        with self._one_call:
            self._pipe.close()

    def _ask(self, message: tuple[Any, ...]) -> Any:
        try:
            with self._one_call:
                self._pipe.send(message)
                return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise ConnectionAbortedError("the simulated cloud has ended") from error
