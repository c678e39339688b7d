"""Everything that a request can write to: output, logs, responses, requests to AWS and upstream, and storage."""

import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from instant.adapters.aws import client as aws
from tests.canary.needles import found
from tests.fakes.openrouter import Arrival
from tests.integration.app import Answer

_STANDARD_FIELDS = {"created", "exc_info", "exc_text", "msecs", "process", "relativeCreated", "taskName", "thread"}
"""Fields of a log record that logging sets itself; exceptions are recorded separately, in full."""


@dataclass
class Sinks:
    """The recorded contents by sink; identical contents are recorded once, with their first place."""

    seen: dict[str, dict[bytes, str]] = field(default_factory=dict)

    def record(self, sink: str, place: str, *contents: str | bytes) -> None:
        """Record contents of a sink."""
        for content in contents:
            raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            self.seen.setdefault(sink, {}).setdefault(raw, place)

    def leaks(self, secrets: Iterable[str], *sinks: str) -> list[str]:
        """Every leak in these sinks, or in all: its place, the number of the secret, and the encodings."""
        return [
            f"{sink}: {place}: secret {number} {', '.join(encodings)}"
            for sink, contents in self.seen.items()
            if not sinks or sink in sinks
            for whole in [b"\n".join(contents)]
            for number, secret in enumerate(secrets)
            if found(secret, whole)  # search all contents at once first, which is fast
            for raw, place in contents.items()
            if (encodings := found(secret, raw))
        ]

    def answer(self, place: str, answer: Answer) -> None:
        """Record a response: status, headers and body."""
        self.record("response", place, f"{answer.status} {answer.headers}\n{answer.text}")

    def arrival(self, place: str, arrival: Arrival) -> None:
        """Record an upstream request, without the Authorization header and the body of a code exchange."""
        headers = {name: value for name, value in arrival.headers.items() if name != "authorization"}
        body = b"" if arrival.path == "/api/v1/auth/keys" else arrival.body
        content = f"{arrival.method} {arrival.path} {arrival.query} {headers}\n".encode() + body
        self.record("upstream", place, content)


@contextmanager
def recording(sinks: Sinks) -> Iterator[None]:
    """Record all output, also of file descriptors, and every log record of every logger from DEBUG on."""
    with ExitStack() as stack:
        for number, name in ((1, "stdout"), (2, "stderr")):
            stack.enter_context(_output(sinks, number, name))
        stack.enter_context(_records(sinks))
        yield


@contextmanager
def _output(sinks: Sinks, number: int, name: str) -> Iterator[None]:
    """Record what is written to the file descriptor and to the Python stream."""
    redirect = {"stdout": redirect_stdout, "stderr": redirect_stderr}[name]
    getattr(sys, name).flush()
    kept = os.dup(number)
    with tempfile.TemporaryFile("w+b") as file:
        os.dup2(file.fileno(), number)
        try:
            with os.fdopen(os.dup(number), "w") as stream, redirect(stream):
                yield
        finally:
            os.dup2(kept, number)
            os.close(kept)
            file.seek(0)
            sinks.record(name, name, file.read())


@contextmanager
def _records(sinks: Sinks) -> Iterator[None]:
    """Record log records where they are created, independent of handlers and propagation."""
    made: list[logging.LogRecord] = []
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    level = root.level

    def create(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        made.append(record)
        return record

    logging.setLogRecordFactory(create)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        logging.setLogRecordFactory(factory)
        for record in made:
            sinks.record("log", f"{record.name}:{record.lineno}", *_texts_of(record))


def _texts_of(record: logging.LogRecord) -> Iterator[str]:
    """The texts that a formatter could write: message, arguments, extra fields, exception."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
    yield f"{record.getMessage()}\n{fields!r}"
    if record.exc_info and record.exc_info[1]:
        yield repr(record.exc_info[1])
        yield from traceback.format_exception(record.exc_info[1])


def record_storage(sinks: Sinks) -> None:
    """Record every row of every table, every object with its key and metadata, and every message of every queue."""
    dynamodb, s3 = aws.client("dynamodb"), aws.client("s3")
    for table in dynamodb.list_tables()["TableNames"]:
        for row in dynamodb.get_paginator("scan").paginate(TableName=table).search("Items"):
            sinks.record("table", table, json.dumps(row, default=bytes.hex), *_binaries(row))
    for bucket in s3.list_buckets()["Buckets"]:
        for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            response = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])
            body = response.pop("Body").read()
            sinks.record("bucket", entry["Key"][:20], body, f"{entry['Key']} {response}")
    _queued(sinks)


def _queued(sinks: Sinks) -> None:
    sqs = aws.client("sqs")
    for queue in sqs.list_queues().get("QueueUrls", []):
        asked = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60}
        while messages := sqs.receive_message(**asked, MessageAttributeNames=["All"]).get("Messages"):
            sinks.record("queue", queue, *(json.dumps(message, default=bytes.hex) for message in messages))


def _binaries(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _binaries(part)
    elif isinstance(value, list):
        for part in value:
            yield from _binaries(part)
