"""Simulates a process that is killed at an external call: every later call fails too, so no cleanup has an effect."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.endpoint
import httpx
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

_AWS, _HTTP = BotocoreStubber.process_request, httpx.HTTPTransport.handle_request


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Calls:
    """Counts the calls that were started."""

    made: int = 0

    def next(self) -> int:
        """The number of the call that starts, from 1."""
        self.made += 1
        return self.made


@contextmanager
def killed_at(call: int, *, after: bool = False, aws_only: bool = False) -> Iterator[Calls]:
    """Kill the process at this call to AWS or to a service; with `after`, the call is processed first.

    With `aws_only`, calls to services are not counted and never fail.
    """
    calls = Calls()

    def die(process: Any) -> Any:
        number = calls.next()
        answer = process() if number < call or (after and number == call) else None
        if number >= call:
            raise Killed
        return answer

    def aws(self: BotocoreStubber, request: AWSRequest) -> Any:
        return die(lambda: _AWS(self, request))

    def http(self: httpx.HTTPTransport, request: httpx.Request) -> Any:
        return _HTTP(self, request) if aws_only else die(lambda: _HTTP(self, request))

    with (
        mock.patch.object(BotocoreStubber, "process_request", aws),
        mock.patch.object(httpx.HTTPTransport, "handle_request", http),
    ):
        yield calls


@contextmanager
def unacknowledged(call: int) -> Iterator[Calls]:
    """Process this call to AWS but lose its response, once; botocore retries it without a delay."""
    calls = Calls()

    def lose(self: BotocoreStubber, request: AWSRequest) -> Any:
        answer = _AWS(self, request)
        if calls.next() == call:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    no_delay = SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    with (
        mock.patch.object(BotocoreStubber, "process_request", lose),
        mock.patch.object(botocore.endpoint, "time", no_delay),
    ):
        yield calls
