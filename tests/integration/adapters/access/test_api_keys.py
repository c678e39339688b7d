"""The store of API keys: it keeps hashes only, lists keys to their user, and revokes them for good."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pynamodb.exceptions import PutError, UpdateError

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.aws import client as aws
from instant.domain.access.api_key import ApiKey, hash_of, mint
from instant.domain.access.identity import Identity, Scope
from instant.domain.clock import format_time
from instant.domain.errors import Forbidden, InvalidField, NotFound, Unauthenticated
from instant.domain.page import PageRequest
from instant.use_cases.access.api_keys import KeyRequest, create_key, list_keys, revoke_key
from instant.use_cases.access.authorize import authorize
from tests.fakes.clock import START, FakeClock
from tests.integration.app import App

EVERYTHING = frozenset(Scope)


@pytest.fixture
def store(cloud: App) -> DynamoApiKeyStore:
    return DynamoApiKeyStore(cloud.name("API_KEYS_TABLE"))


@pytest.fixture
def caller(fresh: Callable[[str], str]) -> Identity:
    return Identity(fresh("user"), EVERYTHING)


def minted(user_id: str, **more: str) -> tuple[str, ApiKey]:
    """Return a key in clear and its record."""
    secret, record = mint(user_id=user_id, name="laptop", scopes=frozenset({Scope.EXECUTE}), now=START)
    return secret.reveal(), replace(record, **more)  # type: ignore[arg-type]


def test_store_returns_every_field_it_saved(store: DynamoApiKeyStore, caller: Identity) -> None:
    _, plain = minted(caller.user_id)
    _, full = minted(caller.user_id, expires_at=format_time(START), revoked_at=format_time(START))
    for key in (plain, full):
        store.put(key)
        assert store.get(key.key_hash) == key
    assert store.get("0" * 64) is None


def test_store_does_not_overwrite_a_hash(store: DynamoApiKeyStore, caller: Identity) -> None:
    _, key = minted(caller.user_id)
    store.put(key)
    with pytest.raises(PutError):
        store.put(replace(key, user_id="user_mallory"))
    assert store.get(key.key_hash) == key


def test_list_returns_only_own_keys_newest_first(store: DynamoApiKeyStore, caller: Identity) -> None:
    keys = [minted(caller.user_id, created_at=format_time(START + timedelta(days=day)))[1] for day in range(3)]
    for key in keys:
        store.put(key)
    store.put(minted("user_other")[1])
    assert store.of_user(caller.user_id, PageRequest()).items == keys[::-1]


def test_revoke_keeps_the_first_revocation_time(store: DynamoApiKeyStore, caller: Identity) -> None:
    _, key = minted(caller.user_id)
    store.put(key)
    for day in (1, 2):
        store.revoke(key, format_time(START + timedelta(days=day)))
    assert store.get(key.key_hash) == replace(key, revoked_at=format_time(START + timedelta(days=1)))


def test_revoke_does_not_create_a_missing_key(store: DynamoApiKeyStore, caller: Identity) -> None:
    _, key = minted(caller.user_id)
    with pytest.raises(UpdateError):
        store.revoke(key, format_time(START))
    assert store.get(key.key_hash) is None


def test_table_contains_no_usable_key(cloud: App, store: DynamoApiKeyStore, caller: Identity) -> None:
    text, key = minted(caller.user_id)
    store.put(key)
    rows = str(aws.client("dynamodb").scan(TableName=cloud.name("API_KEYS_TABLE"))["Items"])
    assert key.key_hash in rows
    assert text not in rows
    assert text[9:-4] not in rows
    with pytest.raises(Unauthenticated):
        authorize(f"Bearer {key.key_hash}", store, FakeClock())


def test_authenticate_accepts_a_key_until_it_is_revoked(store: DynamoApiKeyStore, caller: Identity) -> None:
    clock = FakeClock()
    wanted = KeyRequest(name="ci", scopes=frozenset({Scope.EXECUTE}), expires_at=START + timedelta(hours=1))
    secret, key = create_key(wanted, caller, store, clock, most=100)
    header = f"Bearer {secret.reveal()}"
    assert key.key_hash == hash_of(secret.reveal())
    opened = Identity(caller.user_id, key.scopes, key.key_id, key.expires_at, key.key_id)
    assert authorize(header, store, clock) == opened
    clock.pass_seconds(3_600)
    with pytest.raises(Unauthenticated):
        authorize(header, store, clock)
    clock.pass_seconds(-3_600)
    revoke_key(key.key_id, caller, store, clock)
    with pytest.raises(Unauthenticated):
        authorize(header, store, clock)
    assert list_keys(caller, PageRequest(), store).items == []
    listed = list_keys(caller, PageRequest(), store, revoked=True).items
    assert [each.revoked_at for each in listed] == [format_time(START)]


def test_revoke_rejects_a_key_of_another_user(store: DynamoApiKeyStore, caller: Identity) -> None:
    _, key = minted(caller.user_id)
    store.put(key)
    with pytest.raises(NotFound):
        revoke_key(key.key_id, Identity("user_mallory", EVERYTHING), store, FakeClock())
    assert store.get(key.key_hash) == key


def test_create_rejects_scopes_the_caller_lacks(store: DynamoApiKeyStore, fresh: Callable[[str], str]) -> None:
    maker = Identity(fresh("user"), frozenset({Scope.MANAGE, Scope.EXECUTE}))
    with pytest.raises(Forbidden, match="admin"):
        create_key(KeyRequest(name="k", scopes=EVERYTHING), maker, store, FakeClock(), most=100)
    assert store.of_user(maker.user_id, PageRequest()).items == []


def test_create_rejects_an_expiry_in_the_past(store: DynamoApiKeyStore, caller: Identity) -> None:
    for expires_at in (START, START - timedelta(days=1)):
        with pytest.raises(InvalidField, match="expires_at"):
            create_key(
                KeyRequest(name="k", scopes=EVERYTHING, expires_at=expires_at), caller, store, FakeClock(), most=100
            )
