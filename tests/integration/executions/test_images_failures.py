"""Invalid images and storage failures: the call is paid, so its cost is recorded and no row lacks its object."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.adapters.media.image_store import S3ImageStore
from instant.domain.executions.image import Image
from tests.fakes.image_samples import CLEANED, HOSTILE, MARK
from tests.fakes.openrouter.chat.image import png_bytes
from tests.integration.app import Answer, App
from tests.integration.deadlines import little_time
from tests.integration.media import objects, paint

PASSIVE = {"image/png", "image/jpeg", "image/webp"}


def test_hostile_images_are_paid_for_and_not_stored(seeded: App) -> None:
    for name in HOSTILE:
        answer = paint(seeded, f"picture {name}")
        assert (answer.status, answer.code) == (502, "upstream_error"), name
    assert objects(seeded) == {}
    assert seeded.table("IMAGES_TABLE") == []
    rows = seeded.table("EXECUTIONS_TABLE")
    assert {(row["state"]["S"], row["cost_nanousd"]["N"]) for row in rows} == {("FAILED", "2000")}
    assert len(rows) == len(HOSTILE)


def test_data_hidden_in_an_image_is_not_stored(seeded: App) -> None:
    for name in CLEANED:
        assert paint(seeded, f"picture {name}").status == 200, name
    stored = objects(seeded)
    assert len(stored) == len(CLEANED)
    assert {answer["ContentType"] for answer in stored.values()} <= PASSIVE
    assert [key for key, answer in stored.items() if MARK in answer["Body"]] == []


@pytest.mark.parametrize(
    "wish",
    [
        "link https://pictures.example/cat.png",
        "link http://169.254.169.254/latest/meta-data",
        "data image/svg+xml 1",
        "data text/html 1",
        "data image/png 21",
    ],
)
def test_non_image_data_fails_and_records_its_cost(seeded: App, wish: str) -> None:
    answer = paint(seeded, wish)
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert len(answer.text) < 500
    _assert_recorded_without_images(seeded, answer)


def test_image_type_is_detected_from_the_content(seeded: App) -> None:
    """FakeOpenRouter declares image/png for every image."""
    assert paint(seeded, "picture jpeg").status == 200
    (row,) = seeded.table("IMAGES_TABLE")
    assert row["content_type"] == {"S": "image/jpeg"}


def test_answer_over_the_size_limit_is_not_read(seeded: App) -> None:
    answer = paint(seeded, "data image/png 31")
    assert (answer.status, answer.code) == (413, "too_large")
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["state"] == {"S": "UNKNOWN"}
    assert objects(seeded) == {}


@pytest.mark.parametrize("event", ["before-call.s3.PutObject", "before-call.dynamodb.PutItem"])
def test_store_failure_is_returned_and_the_cost_recorded(seeded: App, event: str) -> None:
    with _failing(seeded, event):
        answer = paint(seeded, "picture png", "picture jpeg")
    assert (answer.status, answer.code) == (500, "internal")
    assert "charged" in answer.json["error"]["message"]
    _assert_recorded(seeded, answer)
    _assert_every_row_has_an_object(seeded)


def test_process_killed_while_storing_leaves_no_row_without_object(seeded: App) -> None:
    for event in ("before-call.s3.PutObject", "after-call.s3.PutObject", "before-call.dynamodb.PutItem"):
        with pytest.raises(KeyboardInterrupt), _failing(seeded, event, KeyboardInterrupt):
            paint(seeded)
        _assert_every_row_has_an_object(seeded)
        assert seeded.table("IMAGES_TABLE") == []
    assert all(key.startswith("media/") for key in objects(seeded)), "the bucket's lifecycle deletes orphans"


def test_retry_after_a_lost_acknowledgement_overwrites_nothing(seeded: App) -> None:
    paint(seeded)
    store = S3ImageStore(seeded.name("IMAGES_TABLE"), seeded.name("MEDIA_BUCKET"), days_kept=90)
    for data in (png_bytes(), png_bytes(), b"something else"):
        store.keep(_image(), data)
    assert [row["image_id"]["S"] for row in seeded.table("IMAGES_TABLE")].count("img_1") == 1
    assert objects(seeded)["media/exe_1/abc"]["Body"] == png_bytes()


def test_other_bucket_errors_fail_the_execution(seeded: App) -> None:
    paint(seeded)
    store = S3ImageStore(seeded.name("IMAGES_TABLE"), "no-such-bucket", days_kept=90)
    with pytest.raises(ClientError):
        store.keep(_image(), png_bytes())


def test_time_is_reserved_to_store_a_late_image(seeded: App) -> None:
    with little_time(seeded, "ExecuteFunction", 18.5) as upstream:
        answer = paint(seeded, "slow 60")
        assert (answer.status, answer.code) == (504, "deadline_exceeded")
        assert upstream.allowed == [0.5]
        seeded.seconds = 17
        assert paint(seeded).code == "upstream_unavailable"
    assert len(seeded.fake.chat_requests) == len(seeded.table("EXECUTIONS_TABLE")) == 1


@contextmanager
def _failing(app: App, event: str, error: type[BaseException] = OSError) -> Iterator[None]:
    """Fail the calls behind the botocore event `event` that store images."""
    table, events = app.name("IMAGES_TABLE"), aws.client(event.split(".")[1]).meta.events

    def fail(params: Any = None, **_: Any) -> None:
        if "dynamodb" not in event or table in str(params["body"]):
            raise error("injected")

    events.register(event, fail)
    try:
        yield
    finally:
        events.unregister(event, fail)


def _assert_every_row_has_an_object(app: App) -> None:
    stored = objects(app)
    assert [row for row in app.table("IMAGES_TABLE") if row["object_key"]["S"] not in stored] == []


def _assert_recorded(app: App, answer: Answer) -> None:
    (row,) = app.table("EXECUTIONS_TABLE")
    assert row["execution_id"]["S"] == answer.json["error"]["execution_id"]
    assert (row["state"], row["cost_nanousd"]) == ({"S": "FAILED"}, {"N": "2000"})
    assert json.loads(row["answer"]["S"]) == answer.json


def _assert_recorded_without_images(app: App, answer: Answer) -> None:
    _assert_recorded(app, answer)
    assert objects(app) == {}
    assert app.table("IMAGES_TABLE") == []


def _image() -> Image:
    return Image(
        image_id="img_1",
        user_id="user_alice",
        execution_id="exe_1",
        object_key="media/exe_1/abc",
        sha256="abc",
        content_type="image/png",
        size_bytes=1,
        width=1,
        height=1,
        created_at="2026-11-22T20:17:24.000000Z",
    )
