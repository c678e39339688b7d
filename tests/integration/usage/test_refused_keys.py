"""A refusal of a key is verified before the key is marked, and a marked key is checked again by itself."""

from dataclasses import replace

import pytest

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.domain.access.integration import KeyStatus
from tests.fakes.clock import FakeClock
from tests.integration.app import GOOD_KEY, Answer, App

PATH = "/api/user/integrations/openrouter"
HTML = b"<html>401 Authorization Required</html>"


@pytest.fixture
def resource_id(seeded: App, clock: FakeClock) -> str:
    resource = seeded.resource()
    seeded.fake.forget_requests()
    return str(resource["resource_id"])


def checks(app: App) -> int:
    """How often the service was asked about a key."""
    return sum(request.path.endswith("/key") for request in app.fake.requests)


def status(app: App) -> str:
    """The status of Alice's key as she sees it."""
    return str(app.call("GET", PATH).json["status"])


def assert_retryable(answer: Answer) -> None:
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (503, "upstream_unavailable", True)


def test_refused_key_that_passes_its_check_stays_usable(seeded: App, resource_id: str) -> None:
    assert_retryable(seeded.execute(resource_id, "[[fake: error 401]]"))
    assert (status(seeded), checks(seeded)) == ("ok", 1)
    assert seeded.execute(resource_id).status == 200


def test_refusal_by_the_edge_says_nothing_about_the_key(seeded: App, resource_id: str) -> None:
    for code in (401, 402, 403):
        seeded.fake.script(code, HTML)
        assert_retryable(seeded.execute(resource_id))
    assert (status(seeded), checks(seeded)) == ("ok", 0)
    assert seeded.execute(resource_id).status == 200


def test_refused_key_that_cannot_be_checked_is_not_marked(seeded: App, resource_id: str) -> None:
    for code, body in ((500, b"{}"), (401, HTML)):
        seeded.fake.serve_key(code, body)
        assert_retryable(seeded.execute(resource_id, "[[fake: error 401]]"))
    seeded.fake.stop_serving_key()
    assert status(seeded) == "ok"


def test_rejected_key_works_again_by_itself(seeded: App, resource_id: str, clock: FakeClock) -> None:
    seeded.fake.revoked_keys.add(GOOD_KEY)
    assert seeded.execute(resource_id).code == "credential_rejected"
    assert (status(seeded), checks(seeded)) == ("broken", 1)
    seeded.fake.revoked_keys.clear()
    clock.pass_seconds(29)
    assert seeded.execute(resource_id).code == "credential_rejected"
    assert checks(seeded) == 1
    clock.pass_seconds(1)
    assert seeded.execute(resource_id).status == 200
    assert (status(seeded), checks(seeded)) == ("ok", 2)


def test_rejected_key_is_checked_with_backoff(seeded: App, resource_id: str, clock: FakeClock) -> None:
    seeded.fake.revoked_keys.add(GOOD_KEY)
    for _ in range(360):
        assert seeded.execute(resource_id).code == "credential_rejected"
        clock.pass_seconds(10)
    assert len(seeded.fake.chat_requests) == 1
    assert 6 <= checks(seeded) <= 8


def test_key_marked_by_an_earlier_version_is_checked_by_the_next_call(seeded: App, resource_id: str) -> None:
    integrations = seeded.name("INTEGRATIONS_TABLE")
    store = DynamoIntegrationStore(integrations)
    found = store.get("user_alice", "openrouter")
    assert found is not None
    store.set(replace(found, status=KeyStatus.BROKEN))
    assert status(seeded) == "broken"
    assert seeded.execute(resource_id).status == 200
    assert status(seeded) == "ok"


def test_disabled_key_is_not_checked(seeded: App, resource_id: str, clock: FakeClock) -> None:
    seeded.fake.revoked_keys.add(GOOD_KEY)
    seeded.execute(resource_id)
    seeded.call("PATCH", PATH, {"is_enabled": False})
    clock.pass_seconds(3_600)
    assert seeded.execute(resource_id).code == "credential_disabled"
    assert checks(seeded) == 1
