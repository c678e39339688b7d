"""Faults between us and AWS that the simulation never has: lost answers, conflicts, throttling."""

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
    """The requests of one operation, as they went out."""

    bodies: list[Any] = field(default_factory=list)


@contextmanager
def faults(operation: str, *plan: Fault | None) -> Iterator[Calls]:
    """The next calls of an operation meet these faults, one each; None and all later calls go through."""
    calls, coming, process = Calls(), list(plan), BotocoreStubber.process_request

    def meet(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        if not _target(request).endswith(f".{operation}"):
            return process(self, request)
        calls.bodies.append(json.loads(request.body))
        fault = coming.pop(0) if coming else None
        return fault(request, lambda: process(self, request)) if fault else process(self, request)

    with mock.patch.object(BotocoreStubber, "process_request", meet):
        yield calls


@contextmanager
def tokens_kept() -> Iterator[None]:
    """A transaction with the token of one that was carried out is not carried out again, as DynamoDB promises."""
    done, process = set[str](), BotocoreStubber.process_request

    def meet(self: BotocoreStubber, request: AWSRequest) -> Reply | None:
        if not _target(request).endswith(".TransactWriteItems"):
            return process(self, request)
        token = json.loads(request.body)["ClientRequestToken"]
        if token in done:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, b"{}"
        reply = process(self, request)
        if reply and reply[0] == 200:
            done.add(token)
        return reply

    with mock.patch.object(BotocoreStubber, "process_request", meet):
        yield


def lost_answer(request: AWSRequest, process: Process) -> Reply | None:
    """The call is carried out, and its answer never arrives."""
    process()
    raise ReadTimeoutError(endpoint_url=request.url)


def lost_request(request: AWSRequest, process: Process) -> Reply | None:
    """The call never arrives."""
    raise ReadTimeoutError(endpoint_url=request.url)


def answer(body: dict[str, Any], status: int = 200) -> Fault:
    """This answer instead of the simulation's."""

    def respond(request: AWSRequest, process: Process) -> Reply:
        return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

    return respond


def failure(code: str, **more: Any) -> Fault:
    """An error of DynamoDB's."""
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}, 400)


def cancelled(*reasons: str) -> Fault:
    """A transaction that was cancelled for these reasons, one for each of its writes."""
    listed = [{"Code": reason, "Message": reason} for reason in reasons]
    return failure("TransactionCanceledException", CancellationReasons=listed)


def _target(request: AWSRequest) -> str:
    target = request.headers.get("X-Amz-Target", "")
    return target.decode() if isinstance(target, bytes) else str(target)
