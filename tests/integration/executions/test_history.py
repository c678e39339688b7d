"""GET /api/executions/{execution_id}: answers are returned for as long as they are stored."""

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
    """Return the path of an execution whose answer is stored in the bucket."""
    message = {"role": "assistant", "content": LONG}
    reply = {"id": "gen-1", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {}}
    seeded.fake.script(200, json.dumps(reply).encode())
    ran = seeded.execute(seeded.resource()["resource_id"])
    assert ran.status == 200, ran.text
    path = f"/api/executions/{ran.json['execution_id']}"
    assert seeded.call("GET", path).json["output"]["content"] == LONG
    return path


def _has_no_output(answer: Answer) -> bool:
    shown = answer.json
    return (answer.status, shown["status"], shown["output"], shown["error"]) == (200, "DONE", None, None)


def test_history_returns_the_record_when_the_answer_is_gone(seeded: App, path: str) -> None:
    (row,) = seeded.table("EXECUTIONS_TABLE")
    aws.client("s3").delete_object(Bucket=seeded.name("MEDIA_BUCKET"), Key=row["answer_key"]["S"])
    assert _has_no_output(seeded.call("GET", path))


class _Bucket:
    """An S3 client that fails every request with one error."""

    def __init__(self, code: str) -> None:
        self._error = ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")

    def get_object(self, **_: Any) -> Any:
        """Raise the error."""
        raise self._error


def test_history_treats_s3_forbidden_as_a_missing_object(
    seeded: App, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_store, "client", lambda service: _Bucket("AccessDenied"))
    assert _has_no_output(seeded.call("GET", path))


def test_history_fails_when_the_bucket_fails(seeded: App, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_store, "client", lambda service: _Bucket("SlowDown"))
    answer = seeded.call("GET", path)
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (500, "internal", False)
    assert "GET /api/executions" in answer.json["error"]["message"]
