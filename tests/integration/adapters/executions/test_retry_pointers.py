"""Retry pointers: one conditional write decides which idempotency key a request uses."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from instant.adapters.executions.retry_pointers import DynamoRetryPointers
from instant.ports.executions.retry_pointers import RetryPointer
from tests.fakes.aws_faults import failure, faults, lost_answer
from tests.integration.app import App

NOW = 1_795_378_644_000
TEN_MINUTES = 600_000


@pytest.fixture
def pointers(cloud: App) -> DynamoRetryPointers:
    return DynamoRetryPointers(cloud.name("LIMITS_TABLE"))


@pytest.fixture
def name(fresh: Callable[[str], str]) -> str:
    return fresh("content")


def first(key: str, received_at: int = NOW) -> RetryPointer:
    """Return the pointer of a first request."""
    return RetryPointer(key=key, received_at=received_at, by_retry=False)


def retry(key: str, received_at: int = NOW) -> RetryPointer:
    """Return the pointer of a retry."""
    return RetryPointer(key=key, received_at=received_at, by_retry=True)


def join(pointers: DynamoRetryPointers, name: str, key: str, received_at: int = NOW) -> str:
    """Join within ten minutes and return the key."""
    return pointers.join(name, retry(key, received_at), since=received_at - TEN_MINUTES).key


def test_retry_joins_the_latest_first_request(pointers: DynamoRetryPointers, name: str) -> None:
    assert pointers.begin(name, first("a")) == first("a")
    assert pointers.begin(name, first("b", NOW + 1)).key == "b"
    assert join(pointers, name, "c", NOW + 2) == "b"
    assert join(pointers, name, "d", NOW + 3) == "b"


def test_retry_without_a_first_request_begins_anew(pointers: DynamoRetryPointers, name: str) -> None:
    assert join(pointers, name, "a") == "a"
    assert join(pointers, name, "b", NOW + 1) == "a"


@pytest.mark.parametrize(("age", "key"), [(TEN_MINUTES, "a"), (TEN_MINUTES + 1, "b")])
def test_retry_joins_no_request_of_more_than_ten_minutes_ago(
    pointers: DynamoRetryPointers, name: str, age: int, key: str
) -> None:
    pointers.begin(name, first("a"))
    assert join(pointers, name, "b", NOW + age) == key


def test_first_request_that_a_retry_has_overtaken_uses_its_key(pointers: DynamoRetryPointers, name: str) -> None:
    join(pointers, name, "retry", NOW + 1)
    assert pointers.begin(name, first("late", NOW)) == retry("retry", NOW + 1)


def test_first_request_after_a_retry_begins_anew(pointers: DynamoRetryPointers, name: str) -> None:
    """It was received later, so the retry is of another request."""
    join(pointers, name, "retry", NOW)
    assert pointers.begin(name, first("new", NOW)).key == "new"
    assert join(pointers, name, "other", NOW + 1) == "new"


def test_first_requests_never_join_one_another(pointers: DynamoRetryPointers, name: str) -> None:
    """One of them may have waited for a cold start."""
    pointers.begin(name, first("a", NOW + 5))
    assert pointers.begin(name, first("b", NOW)).key == "b"


def test_forgotten_request_is_not_joined(pointers: DynamoRetryPointers, name: str) -> None:
    pointers.begin(name, first("a"))
    pointers.forget(name, "a")
    assert join(pointers, name, "b", NOW + 1) == "b"
    assert join(pointers, name, "c", NOW + 2) == "b"


def test_forgotten_retry_gives_way_to_a_first_request(pointers: DynamoRetryPointers, name: str) -> None:
    join(pointers, name, "retry", NOW + 1)
    pointers.forget(name, "retry")
    assert pointers.begin(name, first("late", NOW)).key == "late"


@pytest.mark.parametrize("stored", [True, False])
def test_forgetting_another_request_changes_nothing(pointers: DynamoRetryPointers, name: str, stored: bool) -> None:
    if stored:
        pointers.begin(name, first("a"))
    pointers.forget(name, "b")
    assert join(pointers, name, "c") == ("a" if stored else "c")


def test_names_are_independent(pointers: DynamoRetryPointers, name: str) -> None:
    pointers.begin(name, first("a"))
    assert join(pointers, f"{name}-other", "b") == "b"


def test_write_whose_acknowledgement_is_lost_is_repeated(pointers: DynamoRetryPointers, name: str) -> None:
    with faults("UpdateItem", lost_answer):
        assert pointers.begin(name, first("a")).key == "a"
    with faults("UpdateItem", lost_answer):
        assert join(pointers, f"{name}-other", "b") == "b"


def test_other_failures_are_raised(pointers: DynamoRetryPointers, name: str) -> None:
    refused = failure("AccessDeniedException")
    for write in (
        lambda: pointers.begin(name, first("a")),
        lambda: pointers.join(name, retry("a"), since=0),
        lambda: pointers.forget(name, "a"),
    ):
        with faults("UpdateItem", refused), pytest.raises(ClientError):
            write()


def test_rows_expire(cloud: App, pointers: DynamoRetryPointers, name: str) -> None:
    pointers.begin(name, first("a"))
    (row,) = cloud.table("LIMITS_TABLE")
    assert (row["name"]["S"], int(row["expires_at"]["N"])) == (f"join#{name}", NOW // 1000 + 3_600)
