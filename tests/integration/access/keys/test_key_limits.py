"""A user has a limited number of usable API keys, exact under concurrency, and lists them in pages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.clock import SystemClock
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import LimitReached
from instant.use_cases.access.api_keys import KeyRequest, create_key
from tests.integration.app import Answer, App, deployed_app
from tests.integration.aws_calls import one_at_a_time
from tests.integration.synced_app import new_user

PATH = "/api/user/api-keys"
MOST = 4


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_app(ApiKeysPerUser=str(MOST)) as app:
        yield app


def make(app: App, user: str, **body: object) -> Answer:
    return app.call("POST", PATH, {"name": "k", "scopes": ["execute"], **body}, user=user)


def listed(app: App, user: str, **query: str) -> list[str]:
    return [key["key_id"] for key in app.call("GET", PATH, user=user, query=query).json["data"]]


def store_old(app: App, user: str, number: int, expires_at: str | None = None) -> list[str]:
    """Store keys as versions did that did not count them."""
    store, made = DynamoApiKeyStore(app.name("API_KEYS_TABLE")), []
    for _ in range(number):
        held, now = frozenset({Scope.READ}), datetime.now(UTC)
        _, key = mint(user_id=f"user_{user}", name="old", scopes=held, now=now, expires_at=expires_at)
        store.put(key)
        made.append(key.key_id)
    return made


def test_create_key_rejects_one_more_than_the_limit(shared: App) -> None:
    user = new_user()
    made = [make(shared, user).json["key_id"] for _ in range(MOST)]
    refused = make(shared, user)
    assert (refused.status, refused.code) == (409, "limit_reached")
    assert f"{MOST} API keys" in refused.json["error"]["message"]
    assert listed(shared, user, revoked="true") == made[::-1]
    assert make(shared, new_user()).status == 201


def test_revoked_key_makes_room_for_another(shared: App) -> None:
    user = new_user()
    made = [make(shared, user).json["key_id"] for _ in range(MOST)]
    assert shared.call("DELETE", f"{PATH}/{made[0]}", user=user).status == 204
    assert make(shared, user).status == 201
    assert make(shared, user).status == 409


def test_expired_key_makes_room_for_another(shared: App) -> None:
    user, ends = new_user(), (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for _ in range(MOST):
        assert make(shared, user, expires_at=ends).status == 201
    module, store = shared.module("ApiKeysFunction"), DynamoApiKeyStore(shared.name("API_KEYS_TABLE"))
    assert make(shared, user).status == 409
    before = module.clock
    module.clock = type("Later", (), {"now": lambda self: datetime.now(UTC) + timedelta(hours=2)})()
    try:
        late = make(shared, user)
        assert late.status == 201
        assert [make(shared, user).status for _ in range(MOST)] == [201] * (MOST - 1) + [409]
    finally:
        module.clock = before
    assert store.find(late.json["key_id"]) is not None


def test_keys_from_before_the_limit_count_too(shared: App) -> None:
    user = new_user()
    store_old(shared, user, MOST - 1)
    store_old(shared, user, 2, expires_at="2020-01-01T00:00:00.000000Z")
    assert [make(shared, user).status for _ in range(2)] == [201, 409]


def test_more_keys_than_the_limit_stay_readable_and_revocable(shared: App) -> None:
    user = new_user()
    old = store_old(shared, user, MOST + 3)
    assert make(shared, user).status == 409
    first = shared.call("GET", PATH, user=user, query={"limit": "5"}).json
    rest = shared.call("GET", PATH, user=user, query={"limit": "5", "cursor": first["next_cursor"]}).json
    assert [key["key_id"] for page in (first, rest) for key in page["data"]] == old[::-1]
    assert rest["next_cursor"] is None
    for key_id in old[:4]:
        assert shared.call("DELETE", f"{PATH}/{key_id}", user=user).status == 204
    assert listed(shared, user) == old[:3:-1]
    assert [make(shared, user).status for _ in range(2)] == [201, 409]


def test_concurrent_requests_create_no_more_than_the_limit(shared: App, fast_thread_switching: None) -> None:
    user, store = new_user(), DynamoApiKeyStore(shared.name("API_KEYS_TABLE"))
    caller, wanted = Identity(f"user_{user}", frozenset(Scope)), KeyRequest(name="k", scopes=frozenset({Scope.READ}))

    def create(_: int) -> str | None:
        try:
            return create_key(wanted, caller, store, SystemClock(), most=MOST)[1].key_id
        except LimitReached:
            return None

    with one_at_a_time(), ThreadPoolExecutor(8) as pool:
        made = {key_id for key_id in pool.map(create, range(12)) if key_id}
    assert len(made) == MOST
    assert set(listed(shared, user)) == made


def test_list_keys_leaves_out_revoked_keys_in_full_pages(shared: App) -> None:
    user = new_user()
    kept = []
    for number in range(6):
        key_id = make(shared, user).json["key_id"]
        if number % 2:
            shared.call("DELETE", f"{PATH}/{key_id}", user=user)
        else:
            kept.append(key_id)
    page = shared.call("GET", PATH, user=user, query={"limit": "2"}).json
    assert [key["key_id"] for key in page["data"]] == kept[:0:-1]
    assert listed(shared, user, limit="2", cursor=page["next_cursor"]) == [kept[0]]
    assert len(listed(shared, user, revoked="true")) == 6


def test_list_cursor_contains_no_hash(shared: App) -> None:
    user = new_user()
    store_old(shared, user, 2)
    cursor = shared.call("GET", PATH, user=user, query={"limit": "1"}).json["next_cursor"]
    assert len(cursor) < 100
    other = new_user()
    own = make(shared, other).json["key_id"]
    assert listed(shared, other, cursor=cursor) in ([], [own])
