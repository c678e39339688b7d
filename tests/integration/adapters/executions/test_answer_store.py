"""The answer store: up to 8,192 bytes are stored in the row, larger answers in the bucket."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.domain.executions.execution import StoredAnswer
from tests.integration.app import App


@pytest.fixture
def store(cloud: App) -> S3AnswerStore:
    return S3AnswerStore(cloud.name("MEDIA_BUCKET"))


def objects(cloud: App, execution_id: str) -> list[str]:
    """Return the object keys of an execution."""
    reply = aws.client("s3").list_objects_v2(Bucket=cloud.name("MEDIA_BUCKET"), Prefix=f"media/{execution_id}/")
    return [item["Key"] for item in reply.get("Contents", [])]


@pytest.mark.parametrize("text", ["", "{}", "a" * 8_192, "é" * 4_096])
def test_small_answer_is_stored_in_the_row(
    cloud: App, store: S3AnswerStore, fresh: Callable[[str], str], text: str
) -> None:
    execution_id = fresh("exe")
    kept = store.keep(execution_id, text)
    assert kept == StoredAnswer(text=text)
    assert store.read(kept) == text
    assert objects(cloud, execution_id) == []


@pytest.mark.parametrize("text", ["a" * 8_193, "é" * 4_096 + "a", "😀" * 100_000])
def test_large_answer_is_stored_as_one_object_on_every_retry(
    cloud: App, store: S3AnswerStore, fresh: Callable[[str], str], text: str
) -> None:
    execution_id = fresh("exe")
    key = f"media/{execution_id}/{sha256(text.encode()).hexdigest()}"
    for _ in range(2):
        kept = store.keep(execution_id, text)
        assert kept == StoredAnswer(object_key=key)
        assert store.read(kept) == text
    assert objects(cloud, execution_id) == [key]


def test_missing_answer_is_none(store: S3AnswerStore) -> None:
    assert store.read(StoredAnswer()) is None
