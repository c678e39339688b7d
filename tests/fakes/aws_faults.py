"""Faults of AWS calls that moto does not simulate: lost responses, conflicts, throttling."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

type Reply = tuple[int, dict[str, Any], str | bytes]
type Process = Callable[[], Reply | None]
type Fault = Callable[[AWSRequest, Process], Reply | None]


@dataclass
class Calls:
    """The request bodies of one operation, in the order in which they were sent."""

    bodies: list[Any] = field(default_factory=list)


@contextmanager
def faults(operation: str, *plan: Fault | None, where: str = "") -> Iterator[Calls]:
    """Apply one fault to each of the next calls of an operation; None and all later calls are processed normally.

    With `where`, a table or a part of a key, only calls that contain this text are seen.
    """
    calls, pending, process = Calls(), list(plan), BotocoreStubber.process_request

    def intercept(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        if not _target(request).endswith(f".{operation}") or where not in body:
            return process(self, request)
        calls.bodies.append(json.loads(body))
        fault = pending.pop(0) if pending else None
        return fault(request, lambda: process(self, request)) if fault else process(self, request)

    with mock.patch.object(BotocoreStubber, "process_request", intercept):
        yield calls


@contextmanager
def idempotent_transactions() -> Iterator[None]:
    """Apply a transaction with the same ClientRequestToken only once, as DynamoDB does."""
    done, process = set[str](), BotocoreStubber.process_request

    def intercept(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        if not _target(request).endswith(".TransactWriteItems"):
            return process(self, request)
        token = json.loads(request.body)["ClientRequestToken"]
        if token in done:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, b"{}"
        reply = process(self, request)
        if reply and reply[0] == 200:
            done.add(token)
        return reply

    with mock.patch.object(BotocoreStubber, "process_request", intercept):
        yield


def lost_answer(request: AWSRequest, process: Process) -> Reply | None:
    """Process the call, then fail with a read timeout."""
    process()
    raise ReadTimeoutError(endpoint_url=request.url)


def lost_request(request: AWSRequest, process: Process) -> Reply | None:
    """Fail with a read timeout without processing the call."""
    raise ReadTimeoutError(endpoint_url=request.url)


def answer(body: dict[str, Any], status: int = 200) -> Fault:
    """A fault that responds with this body instead of processing the call."""

    def respond(request: AWSRequest, process: Process) -> Reply:
        return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

    return respond


def failure(code: str, **more: Any) -> Fault:
    """A fault that responds with an error of DynamoDB."""
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}, 400)


def cancelled(*reasons: str) -> Fault:
    """A cancelled transaction with these reasons, one for each of its writes."""
    listed = [{"Code": reason, "Message": reason} for reason in reasons]
    return failure("TransactionCanceledException", CancellationReasons=listed)


def _target(request: AWSRequest) -> str:
    target = request.headers.get("X-Amz-Target", "")
    return target.decode() if isinstance(target, bytes) else str(target)
