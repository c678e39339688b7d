"""Every request to AWS on its way out: searched for secrets, and met by faults."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSRequest
from botocore.retries.standard import ExponentialBackoff
from moto.core.botocore_stubber import BotocoreStubber

from tests.canary.sinks import Sinks
from tests.fakes.aws_faults import Fault, Process, Reply, failure, lost_answer

_NEVER_THE_SAME = {"Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "amz-sdk-request"}
"""Headers that botocore makes of its own; without them, most requests are repeats."""


@dataclass
class AwsTap:
    """What goes to AWS; `faults` says what the call of which number meets, `met` which operation met which."""

    sinks: Sinks
    operations: list[str] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    met: set[tuple[str, Fault]] = field(default_factory=set)

    def begin(self, faults: dict[int, Fault] | None = None) -> None:
        """Count from 0 again, with these faults."""
        self.operations, self.faults = [], dict(faults or {})

    def meet(self, request: AWSRequest, process: Process) -> Reply | None:
        """One call."""
        operation = operation_of(request)
        self.sinks.note("aws", operation, *_searched(request))
        fault = self.faults.pop(len(self.operations), None)
        self.operations.append(operation)
        if fault is None:
            return process()
        self.met.add((operation, fault))
        return fault(request, process)


@contextmanager
def tapped(sinks: Sinks) -> Iterator[AwsTap]:
    """All calls go through the wire; repeats come without a wait, and the simulation keeps its own thoughts."""
    tap, process = AwsTap(sinks), BotocoreStubber.process_request
    logging.getLogger("moto").setLevel(logging.WARNING)

    def meet(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        return tap.meet(request, lambda: process(self, request))

    with (
        mock.patch.object(BotocoreStubber, "process_request", meet),
        mock.patch.object(ExponentialBackoff, "delay_amount", return_value=0),
    ):
        yield tap


def operation_of(request: AWSRequest) -> str:
    """Its name, or method for services that have paths instead."""
    target = request.headers.get("X-Amz-Target", "")
    name = target.decode() if isinstance(target, bytes) else str(target)
    return name.rpartition(".")[2] or str(request.method)


def _searched(request: AWSRequest) -> Iterator[bytes]:
    """The whole request; of one to KMS without the plaintext, which belongs there and nowhere else in it."""
    body = _bytes(request.body)
    if operation_of(request) == "Encrypt":
        body = json.dumps({name: value for name, value in json.loads(body).items() if name != "Plaintext"}).encode()
    headers = {name: value for name, value in request.headers.items() if name not in _NEVER_THE_SAME}
    yield f"{request.method} {request.url} {headers}\n".encode() + body


def _bytes(body: Any) -> bytes:
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body or b"")
    if isinstance(body, str):
        return body.encode()
    content = bytes(body.read())
    body.seek(0)
    return content


def _garbled(request: AWSRequest, process: Process) -> Reply | None:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"<html>Please stand by.</html>"


def _echo(request: AWSRequest, process: Process) -> Reply | None:
    """An error whose words are what was sent and what would have been answered."""
    reply = process()
    words = [_bytes(request.body).decode("latin-1"), _text(reply)]
    body = {"__type": "ValidationException", "message": " ".join(words)}
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


def _explode(request: AWSRequest, process: Process) -> Reply | None:
    """Something that nobody thought of, in a library, with everything in its words."""
    raise RuntimeError(f"{request.url} {dict(request.headers)} {_bytes(request.body)!r} {_text(process())}")


def _text(reply: Reply | None) -> str:
    body = reply[2] if reply else b""
    return body if isinstance(body, str) else body.decode("latin-1")


FAULTS: dict[str, Fault] = {
    "its answer is lost": lost_answer,
    "it is throttled": failure("ThrottlingException"),
    "it is refused": failure("AccessDeniedException"),
    "its answer is garbled": _garbled,
    "its answer repeats everything": _echo,
    "a library fails on it": _explode,
}
"""What may become of one call to AWS."""
