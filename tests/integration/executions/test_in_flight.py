"""Concurrent executions per user: the lease is released however an execution ends, and expires after a crash."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.clock import SystemClock
from instant.domain.clock import LEASE_SLACK
from instant.domain.limits import RETRY_IN_FLIGHT, Rate
from tests.fakes.aws_faults import failure, faults
from tests.integration.app import GOOD_KEY, Answer, App, deployed_app
from tests.integration.aws_calls import operations, recorded
from tests.integration.synced_app import MODEL, created, new_user

EXECUTE = ("POST", "/api/execute")
ABSENT = "res_00000000000000000000000000"


@pytest.fixture(scope="module")
def single() -> Iterator[App]:
    """An app that allows one concurrent execution per user."""
    with deployed_app(MostInFlight="1") as opened:
        opened.sync()
        yield opened


def assert_in_flight(answer: Answer) -> None:
    """Assert that the call was rejected because another execution is in flight."""
    assert (answer.status, answer.code) == (429, "rate_limited"), answer.text
    error = answer.json["error"]
    assert (error["details"], error["retryable"]) == ({"limit": "in_flight", "most": 1}, True)
    assert answer.headers["Retry-After"] == str(RETRY_IN_FLIGHT)


def leases(app: App, user: str) -> list[float]:
    """Return when each lease of a user expires."""
    rows = {row["name"]["S"]: row for row in app.table("LIMITS_TABLE")}
    held = rows.get(f"runs#user_{user}", {}).get("leases", {"SS": []})["SS"]
    return [float(lease.partition("-")[0]) for lease in held]


def run(app: App, user: str, prompt: str = "Say hello.") -> Answer:
    """Execute one of the user's own resources."""
    return app.execute(created(app, user)["resource_id"], prompt, user=user)


ENDS: dict[str, Any] = {
    "an answer": lambda app, user: run(app, user),
    "a failure of the service": lambda app, user: run(app, user, "[[fake: error 500]]"),
    "an unknown outcome": lambda app, user: run(app, user, "[[fake: hang-up]]"),
    "a rejection before sending": lambda app, user: app.execute(ABSENT, user=user),
    "a missing scope": lambda app, user: app.call(*EXECUTE, {}, user=user, scopes="manage"),
    "a broken body": lambda app, user: app.call(*EXECUTE, raw="{", user=user),
    "a long body": lambda app, user: app.call(*EXECUTE, raw=" " * 7_000_000, user=user),
    "another type": lambda app, user: app.call(*EXECUTE, raw="a=b", user=user, headers={"Content-Type": "x/y"}),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_execution_releases_its_lease_however_it_ends(single: App, end: Any) -> None:
    user = new_user()
    single.connect(user)
    for _ in range(2):
        assert end(single, user).status != 429
    assert leases(single, user) == []


def test_crash_releases_the_lease(single: App) -> None:
    user = new_user()
    single.connect(user)
    with faults("BatchGetItem", failure("AccessDeniedException")):
        assert run(single, user).code == "internal"
    assert leases(single, user) == []


def test_execution_over_the_concurrency_limit_is_rejected(single: App) -> None:
    user = new_user()
    single.connect(user)
    resource_id = created(single, user)["resource_id"]
    limiter = DynamoRateLimiter(single.name("LIMITS_TABLE"), SystemClock())
    other = limiter.acquire(f"user_{user}", Rate(100, 60), 1, 600)
    before = (len(single.fake.chat_requests), len(single.table("EXECUTIONS_TABLE")))
    refused = single.execute(resource_id, user=user)
    assert_in_flight(refused)
    assert (len(single.fake.chat_requests), len(single.table("EXECUTIONS_TABLE"))) == before
    limiter.release(f"user_{user}", other)
    assert single.execute(resource_id, user=user).status == 200


def test_failed_release_still_returns_the_answer(single: App, caplog: pytest.LogCaptureFixture) -> None:
    user = new_user()
    single.connect(user)
    resource_id = created(single, user)["resource_id"]
    began = datetime.now(UTC).timestamp()
    with faults("UpdateItem", None, failure("AccessDeniedException")) as writes:
        assert single.execute(resource_id, user=user).status == 200
    assert writes.bodies[1]["UpdateExpression"].startswith("DELETE leases")
    assert "a lease was not released" in caplog.text
    assert_in_flight(run(single, user))
    (end,) = leases(single, user)
    assert began + LEASE_SLACK < end <= datetime.now(UTC).timestamp() + single.seconds + LEASE_SLACK


def test_concurrency_throttle_makes_two_calls_per_execution(single: App) -> None:
    user = new_user()
    single.connect(user)
    resource_id = created(single, user)["resource_id"]
    with recorded("dynamodb") as calls, recorded("dynamodb", short_timeout=True) as limiting:
        assert single.execute(resource_id, user=user).status == 200
    assert operations(limiting) == ["UpdateItem", "UpdateItem"]
    assert operations(calls) == ["GetItem", "BatchGetItem", "GetItem", "PutItem", "TransactWriteItems"]


def test_previews_and_lists_take_no_lease(single: App) -> None:
    user = new_user()
    limiter = DynamoRateLimiter(single.name("LIMITS_TABLE"), SystemClock())
    limiter.acquire(f"user_{user}", Rate(100, 60), 1, 600)
    draft = {"resource_type": "openrouter_instant", "config": {"model": MODEL}, "inputs": {"prompt": "hello"}}
    assert single.call("POST", "/api/resources/preview", draft, user=user).status == 200
    assert single.call("GET", "/api/resources", user=user).status == 200
    assert single.connect(user, GOOD_KEY).status == 201
