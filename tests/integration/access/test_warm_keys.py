"""A warm function does not use a cached key after its row has changed, nor for another user."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from instant.adapters.access.secret_box import CACHE_SECONDS, KmsKeyOpener
from instant.adapters.aws import client as aws
from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import CredentialDisabled, CredentialMissing, CredentialRejected, InstantError
from instant.use_cases.executions.deps import ExecuteDeps
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from tests.fakes.clock import FakeClock
from tests.integration.app import GOOD_KEY, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.synced_app import created, deployed_synced_app, new_user

PATH = "/api/user/integrations/openrouter"
OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with deployed_synced_app() as opened:
        yield opened


@dataclass
class Warm:
    """The dependencies of a warm function with a test clock, and a user whose key is cached."""

    app: App
    deps: ExecuteDeps
    clock: FakeClock
    user: str
    resource_id: str

    def run(self, user: str | None = None, deps: ExecuteDeps | None = None) -> list[str]:
        """Return the keys with which OpenRouter was called for one execution."""
        self.app.fake.forget_requests()
        request = ExecuteRequest(resource_id=self.resource_id, inputs={"prompt": "Hello."})
        caller = Identity(f"user_{user or self.user}", frozenset({Scope.EXECUTE}))
        execute(request, caller, lambda: 30.0, deps or self.deps)
        return [chat.headers["authorization"] for chat in self.app.fake.chat_requests]

    def refused(self, kind: type[InstantError], user: str | None = None, deps: ExecuteDeps | None = None) -> None:
        """Assert that the execution fails with this code and sends nothing."""
        with pytest.raises(kind):
            self.run(user, deps)
        assert self.app.fake.requests == []

    def decrypts(self) -> int:
        """Return the number of KMS decrypt calls of one execution."""
        with recorded("kms") as calls:
            assert self.run() == [f"Bearer {GOOD_KEY}"]
        return operations(calls).count("Decrypt")


@pytest.fixture
def warm(app: App) -> Warm:
    user, clock = new_user(), FakeClock()
    app.connect(user)
    made = created(app, user, visibility="public")
    opener = KmsKeyOpener(app.name("CREDENTIALS_KEY"), "test", clock)
    deps = replace(app.module("ExecuteFunction").deps, keys=opener)
    ready = Warm(app, deps, clock, user, made["resource_id"])
    assert ready.run() == [f"Bearer {GOOD_KEY}"]
    return ready


def test_warm_function_does_not_use_a_replaced_key(warm: Warm) -> None:
    assert warm.app.connect(warm.user, OTHER_KEY).status == 201
    assert warm.run() == [f"Bearer {OTHER_KEY}"]
    assert warm.app.connect(warm.user, GOOD_KEY).status == 201
    assert warm.run() == [f"Bearer {GOOD_KEY}"]


def test_warm_function_does_not_use_a_deleted_key(warm: Warm) -> None:
    assert warm.app.call("DELETE", PATH, user=warm.user).status == 204
    warm.refused(CredentialMissing)


def test_warm_function_does_not_use_a_disabled_key_until_enabled(warm: Warm) -> None:
    assert warm.app.call("PATCH", PATH, {"is_enabled": False}, user=warm.user).status == 200
    warm.refused(CredentialDisabled)
    assert warm.app.call("PATCH", PATH, {"is_enabled": True}, user=warm.user).status == 200
    assert warm.run() == [f"Bearer {GOOD_KEY}"]


def test_warm_function_does_not_reuse_a_rejected_key(warm: Warm) -> None:
    warm.app.fake.revoked_keys.add(GOOD_KEY)
    assert warm.app.call("POST", f"{PATH}/test", user=warm.user).status == 409
    warm.app.fake.revoked_keys.clear()
    warm.refused(CredentialRejected)


def test_decrypted_key_is_cached_for_five_minutes(warm: Warm) -> None:
    assert CACHE_SECONDS == 300
    warm.clock.pass_seconds(299.9)
    assert warm.decrypts() == 0
    warm.clock.pass_seconds(0.1)
    assert warm.decrypts() == 1


def test_warm_function_does_not_decrypt_a_copied_row(warm: Warm) -> None:
    thief = new_user()
    row = _row(warm.app, warm.user)
    _put(warm.app, {**row, "user_id": {"S": f"user_{thief}"}})
    warm.refused(CredentialRejected, thief)
    for answer in (
        warm.app.execute(warm.resource_id, user=thief),
        warm.app.call("POST", f"{PATH}/test", user=thief),
    ):
        assert (answer.status, answer.code) == (409, "credential_rejected")
    assert warm.app.fake.requests == []


def test_warm_function_does_not_decrypt_another_users_ciphertext(warm: Warm) -> None:
    thief = new_user()
    warm.app.connect(thief, OTHER_KEY)
    assert warm.run(thief) == [f"Bearer {OTHER_KEY}"]
    _put(warm.app, {**_row(warm.app, thief), "ciphertext": _row(warm.app, warm.user)["ciphertext"]})
    warm.refused(CredentialRejected, thief)


def test_key_of_another_stage_does_not_decrypt(warm: Warm) -> None:
    opener = KmsKeyOpener(warm.app.name("CREDENTIALS_KEY"), "prod", warm.clock)
    warm.refused(CredentialRejected, deps=replace(warm.deps, keys=opener))


def _row(app: App, user: str) -> dict[str, Any]:
    return next(row for row in app.table("INTEGRATIONS_TABLE") if row["user_id"]["S"] == f"user_{user}")


def _put(app: App, row: dict[str, Any]) -> None:
    aws.client("dynamodb").put_item(TableName=app.name("INTEGRATIONS_TABLE"), Item=row)
