"""Past executions are shown with their answers, for as long as those are kept."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.adapters.executions import answer_store
from tests.integration.app import Answer, App

LONG = "word " * 4_000


@pytest.fixture
def path(seeded: App) -> str:
    """Where an execution is shown whose answer lies in the bucket."""
    message = {"role": "assistant", "content": LONG}
    reply = {"id": "gen-1", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {}}
    seeded.fake.script(200, json.dumps(reply).encode())
    ran = seeded.execute(seeded.resource()["resource_id"])
    assert ran.status == 200, ran.text
    path = f"/api/executions/{ran.json['execution_id']}"
    assert seeded.call("GET", path).json["output"]["content"] == LONG
    return path


def _told_without_its_answer(answer: Answer) -> bool:
    shown = answer.json
    return (answer.status, shown["status"], shown["output"], shown["error"]) == (200, "DONE", None, None)


def test_an_answer_that_is_gone_leaves_the_record(seeded: App, path: str) -> None:
    (row,) = seeded.table("EXECUTIONS_TABLE")
    aws.client("s3").delete_object(Bucket=seeded.name("MEDIA_BUCKET"), Key=row["answer_key"]["S"])
    assert _told_without_its_answer(seeded.call("GET", path))


class _Bucket:
    """S3 with one answer to everything."""

    def __init__(self, code: str) -> None:
        self._error = ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")

    def get_object(self, **_: Any) -> Any:
        """Refuse."""
        raise self._error


def test_s3_calls_it_forbidden_for_who_may_not_list(seeded: App, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_store, "client", lambda service: _Bucket("AccessDenied"))
    assert _told_without_its_answer(seeded.call("GET", path))


def test_a_bucket_that_fails_is_a_failure(seeded: App, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_store, "client", lambda service: _Bucket("SlowDown"))
    answer = seeded.call("GET", path)
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (500, "internal", False)
    assert "GET /api/executions" in answer.json["error"]["message"]
