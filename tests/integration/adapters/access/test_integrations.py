"""The integration store: all fields are kept, only existing rows are updated, and a status belongs to its key."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.domain.access.integration import Integration, KeyStatus
from tests.fakes.builders import an_integration
from tests.integration.app import App

LATER = "2026-11-22T13:00:00.000000Z"


@pytest.fixture
def store(cloud: App) -> DynamoIntegrationStore:
    return DynamoIntegrationStore(cloud.name("INTEGRATIONS_TABLE"))


@pytest.fixture
def saved(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> Integration:
    """A stored integration."""
    made = an_integration(
        fresh("user"),
        ciphertext=bytes(range(256)),
        label="laptop",
        limit_remaining="4.218107879",
        last_verified_at=LATER,
    )
    store.put(made)
    return made


def read(store: DynamoIntegrationStore, integration: Integration) -> Integration | None:
    """Return the integration with the same user and service."""
    return store.get(integration.user_id, integration.service)


def test_store_returns_every_field_it_saved(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert read(store, saved) == saved


def test_store_keeps_absent_fields_absent(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> None:
    bare = an_integration(fresh("user"), max_cost_per_call_nanousd=0, is_enabled=False, status=KeyStatus.BROKEN)
    store.put(bare)
    assert read(store, bare) == bare


def test_store_separates_users_and_services(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert store.get(saved.user_id, "other") is None
    assert store.get("user_nobody", saved.service) is None


def test_new_key_replaces_every_field_of_the_old(store: DynamoIntegrationStore, saved: Integration) -> None:
    new = an_integration(saved.user_id, key_sha256="b" * 64)
    store.put(new)
    assert read(store, saved) == new


def test_delete_is_idempotent(store: DynamoIntegrationStore, saved: Integration) -> None:
    for _ in range(2):
        store.delete(saved.user_id, saved.service)
        assert read(store, saved) is None


@pytest.mark.parametrize("is_enabled", [True, False])
def test_enable_changes_only_the_switch(store: DynamoIntegrationStore, saved: Integration, is_enabled: bool) -> None:
    assert store.enable(saved.user_id, saved.service, is_enabled)
    assert read(store, saved) == replace(saved, is_enabled=is_enabled)


def test_enable_does_not_create_an_integration(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> None:
    user = fresh("user")
    assert not store.enable(user, "openrouter", True)
    assert store.get(user, "openrouter") is None


def test_cap_update_does_not_create_an_integration(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert store.cap_of(saved.user_id) is None
    for cap in (0, 7, 10**12):
        store.set_cap(saved.user_id, cap)
        assert store.cap_of(saved.user_id) == cap
    assert read(store, saved) == saved
    store.delete(saved.user_id, saved.service)
    assert store.cap_of(saved.user_id) == 10**12


def test_status_update_is_stored(store: DynamoIntegrationStore, saved: Integration) -> None:
    broken = replace(
        saved, status=KeyStatus.BROKEN, last_verified_at=LATER, limit_remaining=None, lacks_credits=True,
        times_refused=3,
        refused_at=LATER, next_check_at=LATER,
    )  # fmt: skip
    store.set(broken)
    assert read(store, saved) == broken
    fine = replace(saved, last_verified_at=LATER, limit_remaining="2.5")
    store.set(fine)
    assert read(store, saved) == fine


def test_check_is_claimed_once(store: DynamoIntegrationStore, saved: Integration) -> None:
    for _ in range(2):
        found = read(store, saved)
        assert found is not None
        first, second = (replace(found, next_check_at=f"2026-11-22T1{number}:00:00.000000Z") for number in (3, 4))
        if found.next_check_at:
            first, second = second, first
        assert [store.claim_check(found, each) for each in (first, second)] == [True, False]
        assert read(store, saved) == first


def test_check_of_a_replaced_key_is_not_claimed(store: DynamoIntegrationStore, saved: Integration) -> None:
    new = replace(saved, key_sha256="b" * 64, ciphertext=b"new")
    store.put(new)
    assert not store.claim_check(saved, replace(saved, next_check_at=LATER))
    assert read(store, saved) == new


def test_status_update_of_a_replaced_key_is_ignored(store: DynamoIntegrationStore, saved: Integration) -> None:
    new = replace(saved, key_sha256="b" * 64, ciphertext=b"new")
    store.put(new)
    store.set(replace(saved, status=KeyStatus.BROKEN))
    assert read(store, saved) == new


def test_status_update_does_not_recreate_a_deleted_key(store: DynamoIntegrationStore, saved: Integration) -> None:
    store.delete(saved.user_id, saved.service)
    store.set(replace(saved, status=KeyStatus.BROKEN))
    assert read(store, saved) is None
