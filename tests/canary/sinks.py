"""Everything that a run leaves anywhere: what was printed, logged, answered, sent to AWS and upstream, and stored."""

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

_CLOCKWORK = {"created", "exc_info", "exc_text", "msecs", "process", "relativeCreated", "taskName", "thread"}
"""Fields of a log record that logging fills in by itself; exceptions are looked at in full beside them."""


@dataclass
class Sinks:
    """What was seen, by sink; the same content counts once, under the place where it was first seen."""

    seen: dict[str, dict[bytes, str]] = field(default_factory=dict)

    def note(self, sink: str, place: str, *contents: str | bytes) -> None:
        """Keep what was seen."""
        for content in contents:
            raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            self.seen.setdefault(sink, {}).setdefault(raw, place)

    def leaks(self, secrets: Iterable[str], *sinks: str) -> list[str]:
        """Where in these sinks (or all) which of the secrets (by number) is found, and how it is spelled there."""
        return [
            f"{sink}: {place}: secret {number} {', '.join(spellings)}"
            for sink, contents in self.seen.items()
            if not sinks or sink in sinks
            for whole in [b"\n".join(contents)]
            for number, secret in enumerate(secrets)
            if found(secret, whole)  # one look at all of them is quick
            for raw, place in contents.items()
            if (spellings := found(secret, raw))
        ]

    def answer(self, place: str, answer: Answer) -> None:
        """A response: status, headers, body."""
        self.note("response", place, f"{answer.status} {answer.headers}\n{answer.text}")

    def arrival(self, place: str, arrival: Arrival) -> None:
        """A request upstream, but for the one header in which the key belongs, and the exchange of a code."""
        headers = {name: value for name, value in arrival.headers.items() if name != "authorization"}
        body = b"" if arrival.path == "/api/v1/auth/keys" else arrival.body
        content = f"{arrival.method} {arrival.path} {arrival.query} {headers}\n".encode() + body
        self.note("upstream", place, content)


@contextmanager
def listening(sinks: Sinks) -> Iterator[None]:
    """Note whatever is printed, through Python or past it, and every log record of every logger, DEBUG included."""
    with ExitStack() as stack:
        for number, name in ((1, "stdout"), (2, "stderr")):
            stack.enter_context(_output(sinks, number, name))
        stack.enter_context(_records(sinks))
        yield


@contextmanager
def _output(sinks: Sinks, number: int, name: str) -> Iterator[None]:
    """What reaches the file descriptor, and what Python's stream of that name is given."""
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
            sinks.note(name, name, file.read())


@contextmanager
def _records(sinks: Sinks) -> Iterator[None]:
    """Records are met where they are made, so that neither handlers nor propagation hide one."""
    made: list[logging.LogRecord] = []
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    level = root.level

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        made.append(record)
        return record

    logging.setLogRecordFactory(make)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        logging.setLogRecordFactory(factory)
        for record in made:
            sinks.note("log", f"{record.name}:{record.lineno}", *_texts_of(record))


def _texts_of(record: logging.LogRecord) -> Iterator[str]:
    """All that a formatter could write of a record: message, arguments, extra fields, exception."""
    fields = {name: value for name, value in vars(record).items() if name not in _CLOCKWORK}
    yield f"{record.getMessage()}\n{fields!r}"
    if record.exc_info and record.exc_info[1]:
        yield repr(record.exc_info[1])
        yield from traceback.format_exception(record.exc_info[1])


def stored(sinks: Sinks) -> None:
    """Note every row of every table, every object with its name and metadata, every message of every queue."""
    dynamodb, s3 = aws.client("dynamodb"), aws.client("s3")
    for table in dynamodb.list_tables()["TableNames"]:
        for row in dynamodb.get_paginator("scan").paginate(TableName=table).search("Items"):
            sinks.note("table", table, json.dumps(row, default=bytes.hex), *_binaries(row))
    for bucket in s3.list_buckets()["Buckets"]:
        for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            told = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])
            body = told.pop("Body").read()
            sinks.note("bucket", entry["Key"][:20], body, f"{entry['Key']} {told}")
    _queued(sinks)


def _queued(sinks: Sinks) -> None:
    sqs = aws.client("sqs")
    for queue in sqs.list_queues().get("QueueUrls", []):
        asked = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60}
        while messages := sqs.receive_message(**asked, MessageAttributeNames=["All"]).get("Messages"):
            sinks.note("queue", queue, *(json.dumps(message, default=bytes.hex) for message in messages))


def _binaries(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _binaries(part)
    elif isinstance(value, list):
        for part in value:
            yield from _binaries(part)
