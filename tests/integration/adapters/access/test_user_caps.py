"""The cost cap of a call: in the user's own row, and in integration rows of release 0.1."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from instant.adapters.access.integrations import USER, DynamoIntegrationStore
from instant.adapters.executions.call_facts import DynamoCallFacts
from instant.domain.access.integration import (
    DEFAULT_COST_CAP_NANOUSD,
    PLATFORM,
    Account,
    Integration,
    KeyStatus,
)
from tests.fakes.aws_faults import faults
from tests.fakes.builders import an_integration
from tests.integration.app import App

LATER = "2026-11-22T13:00:00.000000Z"


@pytest.fixture
def store(cloud: App) -> DynamoIntegrationStore:
    return DynamoIntegrationStore(cloud.name("INTEGRATIONS_TABLE"))


@pytest.fixture
def reader(cloud: App) -> DynamoCallFacts:
    return DynamoCallFacts(cloud.name("INTEGRATIONS_TABLE"), cloud.name("MODELS_TABLE"), cloud.name("LIMITS_TABLE"))


@pytest.fixture
def user(fresh: Callable[[str], str]) -> str:
    return fresh("user")


@pytest.fixture
def saved(store: DynamoIntegrationStore, user: str) -> Integration:
    """A stored integration."""
    made = an_integration(user)
    store.put(made)
    return made


def account(reader: DynamoCallFacts, user: str, service: str | None = "openrouter") -> Account:
    """Return the account of a caller."""
    return reader.of(user, service, [], (), platform=False).caller


def test_set_cap_separates_users(store: DynamoIntegrationStore, fresh: Callable[[str], str]) -> None:
    users = [fresh("user") for _ in range(2)]
    for cap, user in enumerate(users):
        store.set_cap(user, cap)
    assert [store.cap_of(user) for user in users] == [0, 1]
    assert [store.get(user, "openrouter") for user in users] == [None, None]


def test_cap_of_reads_consistently(store: DynamoIntegrationStore, saved: Integration) -> None:
    with faults("GetItem") as reads:
        store.cap_of(saved.user_id)
        store.get(saved.user_id, saved.service)
    assert [body["ConsistentRead"] for body in reads.bodies] == [True, True]


def test_enable_creates_no_integration_for_a_user_with_a_cap(store: DynamoIntegrationStore, user: str) -> None:
    store.set_cap(user, 7)
    for service in (USER, "openrouter"):
        assert not store.enable(user, service, False)
    assert (store.cap_of(user), store.get(user, "openrouter")) == (7, None)


def test_store_keeps_the_cap_of_an_older_row_separate(store: DynamoIntegrationStore, user: str) -> None:
    older = an_integration(user, max_cost_per_call_nanousd=5)
    store.put(older)
    assert (store.get(user, older.service), store.cap_of(user)) == (older, None)
    assert store.enable(user, older.service, False)
    store.set(replace(older, status=KeyStatus.BROKEN, last_verified_at=LATER))
    changed = replace(older, is_enabled=False, status=KeyStatus.BROKEN, last_verified_at=LATER)
    assert store.get(user, older.service) == changed
    store.set_cap(user, 9)
    assert (store.get(user, older.service), store.cap_of(user)) == (changed, 9)


@pytest.mark.parametrize(
    ("own", "older", "cap"),
    [
        (None, None, DEFAULT_COST_CAP_NANOUSD),
        (7, None, 7),
        (0, None, 0),
        (None, 5, 5),
        (None, 0, 0),
        (7, 5, 7),
        (0, 5, 0),
        (10**12, 5, 10**12),
    ],
)
def test_account_prefers_the_user_cap_to_an_older_row(
    store: DynamoIntegrationStore, reader: DynamoCallFacts, user: str, own: int | None, older: int | None, cap: int
) -> None:
    integration = an_integration(user, max_cost_per_call_nanousd=older)
    store.put(integration)
    if own is not None:
        store.set_cap(user, own)
    with faults("BatchGetItem") as calls:
        found = account(reader, user)
    assert found == Account(integration=integration, own_cap_nanousd=own)
    assert (found.cap_nanousd, len(calls.bodies)) == (cap, 1)


def test_account_has_a_cap_without_an_integration(
    store: DynamoIntegrationStore, reader: DynamoCallFacts, saved: Integration, fresh: Callable[[str], str]
) -> None:
    other_user = fresh("user")
    for user in (other_user, saved.user_id):
        store.set_cap(user, 7)
        assert account(reader, user, None) == Account(own_cap_nanousd=7)
    assert account(reader, other_user) == Account(own_cap_nanousd=7)
    assert account(reader, fresh("user"), None) == Account()


def test_account_of_the_platform_has_its_own_cap(
    store: DynamoIntegrationStore, reader: DynamoCallFacts, saved: Integration
) -> None:
    store.set_cap(saved.user_id, 7)
    store.set_cap(PLATFORM, 9)
    facts = reader.of(saved.user_id, "openrouter", [], (), platform=True)
    assert facts.platform
    assert (facts.caller.cap_nanousd, facts.platform.cap_nanousd) == (7, 9)
