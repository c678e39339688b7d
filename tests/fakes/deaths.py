"""A process that dies at some call to the outside: nothing that would tidy up runs, since every later call dies too."""

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
    """The process is gone."""


@dataclass
class Calls:
    """How many calls were begun."""

    made: int = 0

    def next(self) -> int:
        """The number of the call that begins, from 1."""
        self.made += 1
        return self.made


@contextmanager
def killed_at(call: int, *, after: bool = False, of_aws_alone: bool = False) -> Iterator[Calls]:
    """Die at this call to AWS or to a service, and at all later ones; `after`: it was carried out, and not read.

    With `of_aws_alone` calls to services are not counted, and work even after death.
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
        return _HTTP(self, request) if of_aws_alone else die(lambda: _HTTP(self, request))

    with (
        mock.patch.object(BotocoreStubber, "process_request", aws),
        mock.patch.object(httpx.HTTPTransport, "handle_request", http),
    ):
        yield calls


@contextmanager
def unacknowledged(call: int) -> Iterator[Calls]:
    """This call to AWS is carried out and its answer is lost on the way, once; it is repeated without a pause."""
    calls = Calls()

    def lose(self: BotocoreStubber, request: AWSRequest) -> Any:
        answer = _AWS(self, request)
        if calls.next() == call:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    at_once = SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    with (
        mock.patch.object(BotocoreStubber, "process_request", lose),
        mock.patch.object(botocore.endpoint, "time", at_once),
    ):
        yield calls
