"""The canary finds a leak planted in any sink."""

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
from tests.canary.aws_tap import tapped
from tests.canary.needles import needles
from tests.canary.sinks import Sinks, listening, stored
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


def _log_without_a_listener() -> None:
    silent = logging.getLogger("silent.library")
    silent.propagate = False
    silent.debug(SECRET)


def _metric() -> None:
    line = {"_aws": {"CloudWatchMetrics": [{"Dimensions": [["key"]]}]}, "key": SECRET, "calls": 1}
    print(json.dumps(line))


PRINTED: dict[str, tuple[str, Callable[[], object]]] = {
    "print": ("stdout", lambda: print(SECRET)),
    "print to stderr": ("stderr", lambda: print(SECRET, file=sys.stderr)),
    "past Python, stdout": ("stdout", lambda: os.write(1, SECRET.encode())),
    "past Python, stderr": ("stderr", lambda: os.write(2, SECRET.encode())),
    "another process": ("stdout", lambda: subprocess.run(["/bin/echo", SECRET], check=True)),
    "a metric": ("stdout", _metric),
    "a message": ("log", _log(SECRET)),
    "an argument": ("log", _log("%s", SECRET)),
    "an argument that no message shows": ("log", _log("%(a)s", {"a": 1, "b": SECRET})),
    "an extra field": ("log", _log("x", request={"headers": [SECRET]})),
    "an exception": ("log", _log_exception),
    "its cause": ("log", _log_cause),
    "a logger without listeners": ("log", _log_without_a_listener),
}


@pytest.mark.parametrize("plant", PRINTED)
def test_sinks_find_a_printed_or_logged_leak(plant: str) -> None:
    sinks, (sink, act) = Sinks(), PRINTED[plant]
    with listening(sinks):
        act()
    assert {leak.split(":")[0] for leak in sinks.leaks([SECRET])} == {sink}


def test_sinks_do_not_record_after_they_close(capfd: pytest.CaptureFixture[str]) -> None:
    level, factory = logging.getLogger().level, logging.getLogRecordFactory()
    with listening(Sinks()):
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
    "an attribute's name": ("table", lambda app: _row(app, **{SECRET: {"S": "x"}})),
    "bytes": ("table", lambda app: _row(app, note={"B": SECRET.encode()})),
    "bytes deep inside": ("table", lambda app: _row(app, note={"M": {"a": {"L": [{"B": SECRET.encode()}]}}})),
    "a key of a row": ("table", lambda app: _row(app, name={"S": SECRET})),
    "an object": ("bucket", lambda app: _object(app, Body=SECRET.encode())),
    "an object's name": ("bucket", lambda app: _object(app, Key=f"media/{SECRET}")),
    "an object's metadata": ("bucket", lambda app: _object(app, Metadata={"key": SECRET})),
    "an object's type": ("bucket", lambda app: _object(app, ContentType=SECRET)),
    "a message": ("queue", lambda app: _message(MessageBody=SECRET)),
    "a message's attribute": (
        "queue",
        lambda app: _message(MessageBody="x", MessageAttributes={"key": {"DataType": "String", "StringValue": SECRET}}),
    ),
}


@pytest.mark.parametrize("plant", STORED)
def test_sinks_find_a_stored_leak(app: App, plant: str) -> None:
    sinks, (sink, act) = Sinks(), STORED[plant]
    undo = act(app)
    stored(sinks)
    assert callable(undo)
    undo()
    assert {leak.split(":")[0] for leak in sinks.leaks([SECRET])} == {sink}
    stored(after := Sinks())
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
    "a row that is gone": lambda app: _row(app, note={"S": SECRET}),
    "a metric": lambda app: aws.client("cloudwatch").put_metric_data(
        Namespace="instant", MetricData=[{"MetricName": SECRET, "Value": 1}]
    ),
    "an encryption context": lambda app: aws.client("kms").encrypt(
        KeyId=app.name("CREDENTIALS_KEY"), Plaintext=b"x", EncryptionContext={"key": SECRET}
    ),
}


@pytest.mark.parametrize("plant", SENT)
def test_sinks_find_a_leak_in_an_aws_request(app: App, plant: str) -> None:
    with tapped(sinks := Sinks()):
        undo = SENT[plant](app)
    if callable(undo):
        undo()
    assert len(sinks.leaks([SECRET], "aws")) == 1


def test_sinks_allow_a_key_in_aws_requests_only_to_kms(app: App) -> None:
    with tapped(sinks := Sinks()):
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


@pytest.mark.parametrize("spelling", needles(SECRET))
def test_sinks_find_every_encoding_in_printed_text(spelling: str) -> None:
    sinks, part = Sinks(), max(needles(SECRET)[spelling].windows)
    with listening(sinks):
        os.write(1, b"before " + part + b" behind")
    assert spelling in sinks.leaks([SECRET])[0]
