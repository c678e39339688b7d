"""AWS as the local stack sees it: moto in a process of its own, asked one thing at a time.

Concurrent calls lose updates in moto, hence the lock. Its state is global to a process and every
`mock_aws` of a test wipes it, hence the process.
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
    """Starts moto at once and waits for it only at the first question; ends with `stop` or with this process."""

    def __init__(self) -> None:
        """Starts the process."""
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
        """Moto's answer to an AWS API call, alone from start to end."""
        message = ("http", request.method, request.target, request.headers, request.body)
        return Answer(*self._ask(message))

    def matching(self, patterns: Sequence[str], event: Mapping[str, Any]) -> list[bool]:
        """For each EventBridge pattern (JSON), whether it matches the event."""
        answers: list[bool] = self._ask(("match", list(patterns), json.dumps(event)))
        return answers

    def stop(self) -> None:
        """Ends the process; its state is gone."""
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
