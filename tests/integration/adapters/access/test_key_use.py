"""The last use of an API key: recorded to the hour, at most once per hour, and a failure never rejects the call."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pynamodb.exceptions import UpdateError

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import ApiKey, mint
from instant.domain.access.identity import Scope
from instant.domain.clock import format_time
from instant.domain.errors import Unauthenticated
from instant.domain.page import PageRequest
from instant.use_cases.access.authorize import authorize
from tests.fakes.aws_faults import failure, faults
from tests.fakes.clock import START, FakeClock
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded

NOON, ONE = format_time(START), format_time(START + timedelta(hours=1))


@pytest.fixture
def store(cloud: App) -> DynamoApiKeyStore:
    return DynamoApiKeyStore(cloud.name("API_KEYS_TABLE"))


@pytest.fixture
def key(store: DynamoApiKeyStore, fresh: Callable[[str], str]) -> tuple[str, ApiKey]:
    """A stored key in clear and its record."""
    secret, record = mint(user_id=fresh("user"), name="ci", scopes=frozenset({Scope.EXECUTE}), now=START)
    store.put(record)
    return secret.reveal(), record


def used(store: DynamoApiKeyStore, text: str, clock: FakeClock) -> list[str]:
    """Return the DynamoDB requests of one use of the key."""
    with recorded("dynamodb") as calls:
        authorize(f"Bearer {text}", store, clock)
    return operations(calls)


def test_key_use_is_recorded_once_per_hour(store: DynamoApiKeyStore, key: tuple[str, ApiKey]) -> None:
    text, record = key
    clock = FakeClock(START + timedelta(minutes=17, microseconds=3))
    assert used(store, text, clock) == ["GetItem", "UpdateItem"]
    assert store.get(record.key_hash) == replace(record, last_used_at=NOON)
    clock.pass_seconds(42 * 60)
    assert used(store, text, clock) == ["GetItem"]
    clock.pass_seconds(60)
    assert used(store, text, clock) == ["GetItem", "UpdateItem"]
    assert store.of_user(record.user_id, PageRequest()).items == [replace(record, last_used_at=ONE)]


def test_key_use_keeps_the_latest_hour(store: DynamoApiKeyStore, key: tuple[str, ApiKey]) -> None:
    _, record = key
    for hour in (ONE, ONE, NOON):
        store.note_use(record, hour)
    assert store.get(record.key_hash) == replace(record, last_used_at=ONE)


def test_key_use_does_not_create_or_restore_a_key(store: DynamoApiKeyStore, key: tuple[str, ApiKey]) -> None:
    _, record = key
    store.note_use(replace(record, key_hash="0" * 64), NOON)
    assert store.get("0" * 64) is None
    store.revoke(record, ONE)
    store.note_use(record, NOON)
    assert store.get(record.key_hash) == replace(record, revoked_at=ONE, last_used_at=NOON)


def test_failed_key_use_record_does_not_reject_the_call(
    store: DynamoApiKeyStore, key: tuple[str, ApiKey], caplog: pytest.LogCaptureFixture
) -> None:
    text, record = key
    with faults("UpdateItem", failure("AccessDeniedException")), caplog.at_level(logging.ERROR):
        assert authorize(f"Bearer {text}", store, FakeClock()).key_id == record.key_id
    assert "the use of a key was not recorded" in caplog.text
    assert text not in caplog.text
    with faults("UpdateItem", failure("AccessDeniedException")), pytest.raises(UpdateError):
        store.note_use(record, NOON)


def test_rejected_key_records_no_use(store: DynamoApiKeyStore, key: tuple[str, ApiKey]) -> None:
    text, record = key
    store.revoke(record, NOON)
    with recorded("dynamodb") as calls, pytest.raises(Unauthenticated):
        authorize(f"Bearer {text}", store, FakeClock())
    assert operations(calls) == ["GetItem"]
