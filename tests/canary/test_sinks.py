"""The sinks find a test secret in every place: output, logs, responses, requests and storage."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256

import httpx
import pytest

from instant.adapters.aws import client as aws
from tests.canary.aws_tap import intercepted
from tests.canary.needles import needles
from tests.canary.sinks import Sinks, record_storage, recording
from tests.integration.app import Answer, App, deployed_app

SECRET = "sk-or-v1-" + sha256(b"planted").hexdigest()


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with deployed_app() as opened:
        yield opened


def _log(message: str, *args: object, **extra: object) -> Callable[[], object]:
    return lambda: logging.getLogger("some.library").debug(message, *args, extra=extra)


def _log_exception() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("some.library").exception("failed")


def _log_cause() -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError("failed") from error
    except RuntimeError as error:
        logging.getLogger("some.library").error("failed", exc_info=error)


def _log_without_propagation() -> None:
    silent = logging.getLogger("silent.library")
    silent.propagate = False
    silent.debug(SECRET)


def _metric() -> None:
    line = {"_aws": {"CloudWatchMetrics": [{"Dimensions": [["key"]]}]}, "key": SECRET, "calls": 1}
    print(json.dumps(line))


PRINTED: dict[str, tuple[str, Callable[[], object]]] = {
    "print": ("stdout", lambda: print(SECRET)),
    "print to stderr": ("stderr", lambda: print(SECRET, file=sys.stderr)),
    "file descriptor 1": ("stdout", lambda: os.write(1, SECRET.encode())),
    "file descriptor 2": ("stderr", lambda: os.write(2, SECRET.encode())),
    "another process": ("stdout", lambda: subprocess.run(["/bin/echo", SECRET], check=True)),
    "a metric": ("stdout", _metric),
    "a message": ("log", _log(SECRET)),
    "an argument": ("log", _log("%s", SECRET)),
    "an argument that is not in the message": ("log", _log("%(a)s", {"a": 1, "b": SECRET})),
    "an extra field": ("log", _log("x", request={"headers": [SECRET]})),
    "an exception": ("log", _log_exception),
    "the cause of an exception": ("log", _log_cause),
    "a logger that does not propagate": ("log", _log_without_propagation),
}


@pytest.mark.parametrize("leak", PRINTED)
def test_sinks_find_a_printed_or_logged_leak(leak: str) -> None:
    sinks, (sink, act) = Sinks(), PRINTED[leak]
    with recording(sinks):
        act()
    assert {found.split(":")[0] for found in sinks.leaks([SECRET])} == {sink}


def test_sinks_do_not_record_after_they_close(capfd: pytest.CaptureFixture[str]) -> None:
    level, factory = logging.getLogger().level, logging.getLogRecordFactory()
    with recording(Sinks()):
        print("inside")
    print("outside")
    assert capfd.readouterr().out == "outside\n"
    assert (logging.getLogger().level, logging.getLogRecordFactory()) == (level, factory)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, json.dumps({"key": SECRET})),
        Answer(302, {"Location": f"https://bucket.s3.amazonaws.com/x?X-Amz-Signature={SECRET}"}, ""),
        Answer(200, {SECRET: "x"}, ""),
    ],
    ids=["body", "presigned link", "header name"],
)
def test_sinks_find_a_leak_in_a_response(answer: Answer) -> None:
    sinks = Sinks()
    sinks.answer("GET /", answer)
    assert len(sinks.leaks([SECRET])) == 1


STORED: dict[str, tuple[str, Callable[[App], object]]] = {
    "an attribute": ("table", lambda app: _row(app, note={"S": SECRET})),
    "the name of an attribute": ("table", lambda app: _row(app, **{SECRET: {"S": "x"}})),
    "bytes": ("table", lambda app: _row(app, note={"B": SECRET.encode()})),
    "nested bytes": ("table", lambda app: _row(app, note={"M": {"a": {"L": [{"B": SECRET.encode()}]}}})),
    "a key of a row": ("table", lambda app: _row(app, name={"S": SECRET})),
    "an object": ("bucket", lambda app: _object(app, Body=SECRET.encode())),
    "the key of an object": ("bucket", lambda app: _object(app, Key=f"media/{SECRET}")),
    "the metadata of an object": ("bucket", lambda app: _object(app, Metadata={"key": SECRET})),
    "the content type of an object": ("bucket", lambda app: _object(app, ContentType=SECRET)),
    "a message": ("queue", lambda app: _message(MessageBody=SECRET)),
    "an attribute of a message": (
        "queue",
        lambda app: _message(MessageBody="x", MessageAttributes={"key": {"DataType": "String", "StringValue": SECRET}}),
    ),
}


@pytest.mark.parametrize("leak", STORED)
def test_sinks_find_a_stored_leak(app: App, leak: str) -> None:
    sinks, (sink, act) = Sinks(), STORED[leak]
    undo = act(app)
    record_storage(sinks)
    assert callable(undo)
    undo()
    assert {found.split(":")[0] for found in sinks.leaks([SECRET])} == {sink}
    record_storage(after := Sinks())
    assert after.leaks([SECRET]) == []


def _row(app: App, **attributes: object) -> Callable[[], object]:
    table, key = app.name("LIMITS_TABLE"), {"name": attributes.get("name", {"S": "planted"})}
    aws.client("dynamodb").put_item(TableName=table, Item={**key, **attributes})
    return lambda: aws.client("dynamodb").delete_item(TableName=table, Key=key)


def _object(app: App, **parts: object) -> Callable[[], object]:
    planted = {"Bucket": app.name("MEDIA_BUCKET"), "Key": "media/planted", "Body": b"x", **parts}
    aws.client("s3").put_object(**planted)
    return lambda: aws.client("s3").delete_object(Bucket=planted["Bucket"], Key=planted["Key"])


def _message(**parts: object) -> Callable[[], object]:
    queue = aws.client("sqs").create_queue(QueueName="planted")["QueueUrl"]
    aws.client("sqs").send_message(QueueUrl=queue, **parts)
    return lambda: aws.client("sqs").delete_queue(QueueUrl=queue)


SENT: dict[str, Callable[[App], object]] = {
    "an event": lambda app: aws.client("events").put_events(
        Entries=[{"Source": "instant.resources", "DetailType": "x", "Detail": json.dumps({"key": SECRET})}]
    ),
    "a deleted row": lambda app: _row(app, note={"S": SECRET}),
    "a metric": lambda app: aws.client("cloudwatch").put_metric_data(
        Namespace="instant", MetricData=[{"MetricName": SECRET, "Value": 1}]
    ),
    "an encryption context": lambda app: aws.client("kms").encrypt(
        KeyId=app.name("CREDENTIALS_KEY"), Plaintext=b"x", EncryptionContext={"key": SECRET}
    ),
}


@pytest.mark.parametrize("leak", SENT)
def test_sinks_find_a_leak_in_an_aws_request(app: App, leak: str) -> None:
    with intercepted(sinks := Sinks()):
        undo = SENT[leak](app)
    if callable(undo):
        undo()
    assert len(sinks.leaks([SECRET], "aws")) == 1


def test_sinks_allow_a_key_in_aws_requests_only_to_kms(app: App) -> None:
    with intercepted(sinks := Sinks()):
        aws.client("kms").encrypt(KeyId=app.name("CREDENTIALS_KEY"), Plaintext=SECRET.encode())
    assert (len(sinks.seen["aws"]), sinks.leaks([SECRET])) == (1, [])


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"X-Key": SECRET}},
        {"headers": {"Cookie": f"key={SECRET}"}},
        {"params": {"key": SECRET}},
        {"json": {"user": SECRET}},
    ],
    ids=["header", "cookie", "query", "body"],
)
def test_sinks_find_a_leak_in_an_upstream_request(app: App, sent: dict[str, object]) -> None:
    app.fake.forget_requests()
    httpx.post(f"{app.fake.url}/chat/completions", **sent)  # type: ignore[arg-type]
    sinks = Sinks()
    sinks.arrival("chat", app.fake.requests[0])
    assert len(sinks.leaks([SECRET])) == 1


def test_sinks_allow_a_key_upstream_only_in_its_header(app: App) -> None:
    app.fake.forget_requests()
    httpx.get(f"{app.fake.url}/key", headers={"Authorization": f"Bearer {SECRET}"})
    sinks = Sinks()
    sinks.arrival("key", app.fake.requests[0])
    assert (len(sinks.seen["upstream"]), sinks.leaks([SECRET])) == (1, [])


@pytest.mark.parametrize("encoding", needles(SECRET))
def test_sinks_find_every_encoding_in_printed_text(encoding: str) -> None:
    sinks, part = Sinks(), max(needles(SECRET)[encoding].windows)
    with recording(sinks):
        os.write(1, b"before " + part + b" behind")
    assert encoding in sinks.leaks([SECRET])[0]
