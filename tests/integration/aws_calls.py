"""Recording and serializing the calls that the process makes to AWS."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from moto.core.botocore_stubber import BotocoreStubber

from instant.adapters.aws import client as aws


@dataclass(frozen=True)
class AwsCall:
    """A call to AWS: the operation, and the parameters that the client received."""

    operation: str
    parameters: dict[str, Any]


@contextmanager
def recorded(*services: str, short_timeout: bool = False) -> Iterator[list[AwsCall]]:
    """Record the calls to these services in order, by the usual clients or by those with short timeouts."""
    calls: list[AwsCall] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append(AwsCall(model.name, params))

    with ExitStack() as hooks:
        for service in services:
            client = aws.client(service, short_timeout=True) if short_timeout else aws.client(service)
            event = f"provide-client-params.{client.meta.service_model.service_id.hyphenize()}"
            client.meta.events.register(event, note)
            hooks.callback(client.meta.events.unregister, event, note)
        yield calls


def operations(calls: list[AwsCall]) -> list[str]:
    """Return the names of the operations."""
    return [call.operation for call in calls]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Serialize the calls to moto, which loses concurrent writes; DynamoDB serializes the writes to one item."""
    lock, process = threading.RLock(), BotocoreStubber.process_request

    def serialized(self: BotocoreStubber, request: Any) -> Any:
        with lock:
            return process(self, request)

    with mock.patch.object(BotocoreStubber, "process_request", serialized):
        yield
