"""Intercepts every request to AWS, to search it for secrets and to inject faults."""

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

_GENERATED_HEADERS = {"Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "amz-sdk-request"}
"""Headers that botocore generates; without them, most requests are identical."""


@dataclass
class AwsTap:
    """Records requests to AWS; `faults` are by the number of the call, `injected` are the faults by operation."""

    sinks: Sinks
    operations: list[str] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    injected: set[tuple[str, Fault]] = field(default_factory=set)

    def start(self, faults: dict[int, Fault] | None = None) -> None:
        """Start the count of calls at 0, with these faults."""
        self.operations, self.faults = [], dict(faults or {})

    def intercept(self, request: AWSRequest, process: Process) -> Reply | None:
        """Record one call, and execute it or its fault."""
        operation = operation_of(request)
        self.sinks.record("aws", operation, *_searched(request))
        fault = self.faults.pop(len(self.operations), None)
        self.operations.append(operation)
        if fault is None:
            return process()
        self.injected.add((operation, fault))
        return fault(request, process)


@contextmanager
def intercepted(sinks: Sinks) -> Iterator[AwsTap]:
    """Intercept all calls; retries have no delay, and moto does not log."""
    tap, process = AwsTap(sinks), BotocoreStubber.process_request
    logging.getLogger("moto").setLevel(logging.WARNING)

    def intercept(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        return tap.intercept(request, lambda: process(self, request))

    with (
        mock.patch.object(BotocoreStubber, "process_request", intercept),
        mock.patch.object(ExponentialBackoff, "delay_amount", return_value=0),
    ):
        yield tap


def operation_of(request: AWSRequest) -> str:
    """The name of the operation, or the HTTP method for services without operation names."""
    target = request.headers.get("X-Amz-Target", "")
    name = target.decode() if isinstance(target, bytes) else str(target)
    return name.rpartition(".")[2] or str(request.method)


def _searched(request: AWSRequest) -> Iterator[bytes]:
    """The whole request, without the plaintext of Encrypt, which must contain the key."""
    body = _bytes(request.body)
    if operation_of(request) == "Encrypt":
        body = json.dumps({name: value for name, value in json.loads(body).items() if name != "Plaintext"}).encode()
    headers = {name: value for name, value in request.headers.items() if name not in _GENERATED_HEADERS}
    yield f"{request.method} {request.url} {headers}\n".encode() + body


def _bytes(body: Any) -> bytes:
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body or b"")
    if isinstance(body, str):
        return body.encode()
    content = bytes(body.read())
    body.seek(0)
    return content


def _invalid_response(request: AWSRequest, process: Process) -> Reply | None:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"<html>Please stand by.</html>"


def _echo(request: AWSRequest, process: Process) -> Reply | None:
    """An error whose message contains the request and the response."""
    reply = process()
    texts = [_bytes(request.body).decode("latin-1"), _text(reply)]
    body = {"__type": "ValidationException", "message": " ".join(texts)}
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


def _raise_unexpected(request: AWSRequest, process: Process) -> Reply | None:
    """An unexpected exception in a library, whose message contains the request and the response."""
    raise RuntimeError(f"{request.url} {dict(request.headers)} {_bytes(request.body)!r} {_text(process())}")


def _text(reply: Reply | None) -> str:
    body = reply[2] if reply else b""
    return body if isinstance(body, str) else body.decode("latin-1")


FAULTS: dict[str, Fault] = {
    "lost response": lost_answer,
    "throttled": failure("ThrottlingException"),
    "access denied": failure("AccessDeniedException"),
    "invalid response": _invalid_response,
    "error that repeats the request": _echo,
    "exception in a library": _raise_unexpected,
}
"""The faults of a call to AWS."""
