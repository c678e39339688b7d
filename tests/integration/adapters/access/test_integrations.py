"""Connections: stored whole, changed only where they exist, and verdicts stick to the key they are about."""

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
    """A connection that is stored."""
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
    """What is stored under the same user and service."""
    return store.get(integration.user_id, integration.service)


def test_every_field_survives(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert read(store, saved) == saved


def test_absent_facts_stay_absent(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> None:
    bare = an_integration(fresh("user"), max_cost_per_call_nanousd=0, is_enabled=False, status=KeyStatus.BROKEN)
    store.put(bare)
    assert read(store, bare) == bare


def test_users_and_services_are_kept_apart(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert store.get(saved.user_id, "other") is None
    assert store.get("user_nobody", saved.service) is None


def test_a_new_key_replaces_all_of_the_old_one(store: DynamoIntegrationStore, saved: Integration) -> None:
    new = an_integration(saved.user_id, key_sha256="b" * 64)
    store.put(new)
    assert read(store, saved) == new


def test_a_deleted_connection_is_gone_and_may_be_deleted_again(
    store: DynamoIntegrationStore, saved: Integration
) -> None:
    for _ in range(2):
        store.delete(saved.user_id, saved.service)
        assert read(store, saved) is None


@pytest.mark.parametrize("is_enabled", [True, False])
def test_only_the_switch_changes(store: DynamoIntegrationStore, saved: Integration, is_enabled: bool) -> None:
    assert store.enable(saved.user_id, saved.service, is_enabled)
    assert read(store, saved) == replace(saved, is_enabled=is_enabled)


def test_a_switch_does_not_make_a_connection(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> None:
    user = fresh("user")
    assert not store.enable(user, "openrouter", True)
    assert store.get(user, "openrouter") is None


def test_a_cap_is_the_users_and_no_connection(store: DynamoIntegrationStore, saved: Integration) -> None:
    assert store.cap_of(saved.user_id) is None
    for cap in (0, 7, 10**12):
        store.set_cap(saved.user_id, cap)
        assert store.cap_of(saved.user_id) == cap
    assert read(store, saved) == saved
    store.delete(saved.user_id, saved.service)
    assert store.cap_of(saved.user_id) == 10**12


def test_a_verdict_is_noted(store: DynamoIntegrationStore, saved: Integration) -> None:
    store.set(saved, KeyStatus.BROKEN, LATER)
    assert read(store, saved) == replace(saved, status=KeyStatus.BROKEN, last_verified_at=LATER, limit_remaining=None)
    store.set(saved, KeyStatus.OK, LATER, "2.5")
    assert read(store, saved) == replace(saved, status=KeyStatus.OK, last_verified_at=LATER, limit_remaining="2.5")


def test_a_verdict_on_a_replaced_key_says_nothing_of_the_new_one(
    store: DynamoIntegrationStore, saved: Integration
) -> None:
    new = replace(saved, key_sha256="b" * 64, ciphertext=b"new")
    store.put(new)
    store.set(saved, KeyStatus.BROKEN, LATER)
    assert read(store, saved) == new


def test_a_verdict_does_not_bring_a_deleted_key_back(store: DynamoIntegrationStore, saved: Integration) -> None:
    store.delete(saved.user_id, saved.service)
    store.set(saved, KeyStatus.BROKEN, LATER)
    assert read(store, saved) is None
