"""The row of a key is read again before a call is sent; a change since the call was prepared is an error."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.domain.access.integration import PLATFORM
from instant.domain.usage.budget import Subject
from instant.ports.executions.call_facts import CallFacts, CallFactsReader
from tests.fakes.aws_faults import failure, faults
from tests.integration.app import GOOD_KEY, Answer, App, deployed_app
from tests.integration.aws_calls import recorded
from tests.integration.budgets import Budgets
from tests.integration.synced_app import new_user

PATH = "/api/user/integrations/openrouter"
ADMIN_PATH = "/api/admin/integrations/openrouter"
OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4
MODEL = "meadow/lark"

type Change = Callable[[App], object]


@dataclass
class FactsWithCallback(CallFactsReader):
    """A reader that reads the facts of a call, then runs a callback once."""

    reader: CallFactsReader
    then: list[Callable[[], object]]

    def of(
        self,
        user_id: str,
        service: str | None,
        model_ids: Sequence[str],
        subjects: Sequence[Subject],
        *,
        platform: bool,
    ) -> CallFacts:
        facts = self.reader.of(user_id, service, model_ids, subjects, platform=platform)
        while self.then:
            self.then.pop()()
        return facts


@contextmanager
def prepared_before(app: App, change: Change) -> Iterator[None]:
    """Prepare the next call before `change` and perform it afterwards."""
    module = app.module("ExecuteFunction")
    before = module.deps
    module.deps = replace(before, facts=FactsWithCallback(before.facts, [lambda: change(app)]))
    try:
        yield
    finally:
        module.deps = before


def mark_broken(app: App, user_id: str = "user_alice") -> None:
    """Mark the key as rejected by the service, as another call would."""
    store = DynamoIntegrationStore(app.name("INTEGRATIONS_TABLE"))
    found = store.get(user_id, "openrouter")
    assert found is not None
    store.set(found.rejected(datetime.now(UTC)))


CHANGES: dict[str, tuple[Change, str]] = {
    "replaced": (lambda app: app.connect(key=OTHER_KEY), "credential_missing"),
    "encrypted again": (lambda app: app.connect(), "credential_missing"),
    "deleted": (lambda app: app.call("DELETE", PATH), "credential_missing"),
    "disabled": (lambda app: app.call("PATCH", PATH, {"is_enabled": False}), "credential_disabled"),
    "broken": (mark_broken, "credential_rejected"),
}


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    """An app whose platform key pays for one model."""
    with deployed_app(PlatformModels=MODEL, PlatformDailyUsd="0.016", PlatformDailyUsdEach="0.002") as opened:
        yield opened


@pytest.fixture
def resource_id(seeded: App) -> str:
    """A resource of a user with a budget of 1 USD per day."""
    Budgets(seeded).set("user", "1")
    found = str(seeded.resource()["resource_id"])
    seeded.fake.forget_requests()
    return found


def run(app: App, resource_id: str, name: str | None) -> Answer:
    """Execute the resource, with or without an idempotency key."""
    body = {"resource_id": resource_id, "inputs": {"prompt": "Say hello."}}
    return app.call("POST", "/api/execute", body, headers={"Idempotency-Key": name} if name else None)


def assert_nothing_happened(app: App, answer: Answer, code: str) -> None:
    """Assert the error, and that no request, row or hold remains."""
    assert (answer.status, answer.code) == (409, code), answer.text
    assert "execution_id" not in answer.json["error"]
    assert app.fake.chat_requests == []
    assert app.table("EXECUTIONS_TABLE") == []
    assert {committed for committed, _ in Budgets(app).rows()} <= {0}


@pytest.mark.parametrize("name", [None, "order-1"], ids=["plain", "idempotent"])
@pytest.mark.parametrize("change", CHANGES)
def test_execute_rejects_a_key_that_changed_after_prepare(
    seeded: App, resource_id: str, change: str, name: str | None
) -> None:
    happen, code = CHANGES[change]
    with prepared_before(seeded, happen), recorded("kms") as opened:
        answer = run(seeded, resource_id, name)
    assert_nothing_happened(seeded, answer, code)
    assert [call.operation for call in opened if call.operation == "Decrypt"] == []
    assert seeded.connect().status == 201
    assert run(seeded, resource_id, name).status == 200
    assert len(seeded.fake.chat_requests) == 1


def test_execute_without_budget_does_not_record_a_changed_key(seeded: App) -> None:
    resource_id = seeded.resource()["resource_id"]
    happen, code = CHANGES["replaced"]
    with prepared_before(seeded, happen), faults("PutItem") as puts:
        answer = run(seeded, resource_id, None)
    assert_nothing_happened(seeded, answer, code)
    assert [body for body in puts.bodies if body["TableName"] == seeded.name("EXECUTIONS_TABLE")] == []


def test_execute_sends_a_key_that_was_tested_after_prepare(seeded: App, resource_id: str) -> None:
    with prepared_before(seeded, lambda app: app.call("POST", f"{PATH}/test")):
        assert run(seeded, resource_id, None).status == 200
    (sent,) = seeded.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {GOOD_KEY}"


@pytest.mark.parametrize("name", [None, "order-1"], ids=["plain", "idempotent"])
def test_execute_does_not_record_an_unreadable_key(seeded: App, resource_id: str, name: str | None) -> None:
    refusal = failure("AccessDeniedException")
    with faults("GetItem", *[None] * (2 if name else 1), refusal):
        answer = run(seeded, resource_id, name)
    assert (answer.status, answer.code) == (500, "internal")
    assert seeded.fake.chat_requests == []
    assert seeded.table("EXECUTIONS_TABLE") == []
    assert {committed for committed, _ in Budgets(seeded).rows()} == {0}


PLATFORM_CHANGES: dict[str, Change] = {
    "replaced": lambda app: app.call("POST", ADMIN_PATH, {"api_key": GOOD_KEY}, scopes="admin"),
    "disabled": lambda app: app.call("PATCH", ADMIN_PATH, {"is_enabled": False}, scopes="admin"),
    "deleted": lambda app: app.call("DELETE", ADMIN_PATH, scopes="admin"),
    "broken": lambda app: mark_broken(app, PLATFORM),
}


@pytest.mark.parametrize("change", PLATFORM_CHANGES)
def test_execute_returns_credential_missing_if_the_platform_key_changed(seeded: App, change: str) -> None:
    assert seeded.call("POST", ADMIN_PATH, {"api_key": OTHER_KEY}, scopes="admin").status == 201
    config: dict[str, Any] = {"model": MODEL, "max_tokens": 1_000}
    resource_id = seeded.resource("owner", config=config, visibility="public")["resource_id"]
    seeded.fake.forget_requests()
    with prepared_before(seeded, PLATFORM_CHANGES[change]):
        answer = seeded.execute(resource_id, user=new_user())
    assert_nothing_happened(seeded, answer, "credential_missing")
