"""Testing a stored key again, and the key status that is stored afterwards."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from instant.adapters.aws import client as aws
from instant.domain.errors import OutcomeUnknown
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Effect, Failure
from tests.fakes.whole_replies import WholeReplies
from tests.integration.access.test_integrations import PATH, row_of
from tests.integration.app import GOOD_KEY, Answer, App

OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4


@pytest.fixture
def connected(app: App) -> App:
    """An app in which alice has a key and the service has received no request since."""
    assert app.connect().status == 201
    app.fake.forget_requests()
    return app


def _test(app: App, user: str = "alice") -> Answer:
    return app.call("POST", f"{PATH}/test", user=user)


def test_key_check_updates_the_key_status(connected: App) -> None:
    saved = connected.call("GET", PATH).json
    fine = _test(connected)
    assert fine.status == 200
    (check,) = connected.fake.requests
    assert (check.path, check.headers["authorization"]) == ("/api/v1/key", f"Bearer {GOOD_KEY}")
    assert fine.json == {**saved, "last_verified_at": fine.json["last_verified_at"]}
    assert fine.json["last_verified_at"] > saved["last_verified_at"]

    connected.fake.revoked_keys.add(GOOD_KEY)
    refused = _test(connected)
    assert (refused.status, refused.code) == (409, "credential_rejected")
    broken = connected.call("GET", PATH).json
    assert (broken["status"], broken["limit_remaining_usd"]) == ("broken", None)
    assert broken["last_verified_at"] > fine.json["last_verified_at"]

    connected.fake.revoked_keys.clear()
    again = _test(connected).json
    assert (again["status"], again["limit_remaining_usd"]) == ("ok", "5")
    assert GOOD_KEY not in fine.text + refused.text


def test_key_check_of_a_disabled_key_leaves_it_disabled(connected: App) -> None:
    connected.call("PATCH", PATH, {"is_enabled": False})
    answer = _test(connected)
    assert (answer.status, answer.json["status"], answer.json["is_enabled"]) == (200, "ok", False)


def test_key_check_without_a_key_makes_no_request(connected: App) -> None:
    missing = _test(connected, "bob")
    assert (missing.status, missing.code) == (404, "not_found")
    assert connected.fake.requests == []


@pytest.mark.parametrize("warm", [False, True])
def test_key_check_rejects_a_ciphertext_from_another_row(connected: App, warm: bool) -> None:
    """The same holds for a warm function that has decrypted it for its owner."""
    connected.connect("bob", OTHER_KEY)
    if warm:
        assert _test(connected).status == 200
    connected.fake.forget_requests()
    stolen = {**row_of(connected, "alice"), "user_id": {"S": "user_bob"}}
    aws.client("dynamodb").put_item(TableName=connected.name("INTEGRATIONS_TABLE"), Item=stolen)
    answer = _test(connected, "bob")
    assert (answer.status, answer.code) == (409, "credential_rejected")
    assert PATH in answer.json["error"]["message"]
    assert connected.fake.requests == []


def test_key_check_keeps_the_status_when_the_service_is_down(connected: App) -> None:
    before = row_of(connected, "alice")
    connected.fake.stop()
    answers = [_test(connected), connected.connect(key=OTHER_KEY), connected.connect("bob")]
    for answer in answers:
        assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (503, "upstream_unavailable", True)
    assert connected.table("INTEGRATIONS_TABLE") == [before]


class Answers(WholeReplies):
    """A service that answers every request in the same way."""

    def __init__(self, reply: Callable[[], Reply]) -> None:
        """Answer with the return value of `reply`."""
        self._reply = reply

    def send(self, request: Request, *, seconds: float) -> Reply:
        return self._reply()


def answer_with(connected: App, monkeypatch: pytest.MonkeyPatch, reply: Callable[[], Reply]) -> None:
    """Answer the key checks of both functions with the return value of `reply`."""
    connecting = connected.module("IntegrationsFunction")
    monkeypatch.setattr(connected.module("IntegrationTestFunction"), "upstream", Answers(reply))
    monkeypatch.setattr(connecting, "deps", replace(connecting.deps, upstream=Answers(reply)))


def test_key_check_keeps_the_status_after_an_inconclusive_answer(
    connected: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = row_of(connected, "alice")
    for status, body in ((500, b"{}"), (402, b"{}"), (524, b""), (200, b"<html>"), (200, b"{}"), (200, b'{"data": 7}')):
        answer_with(connected, monkeypatch, partial(Reply, status=status, body=body))
        for answer in (_test(connected), connected.connect(key=OTHER_KEY)):
            assert (answer.status, answer.code) == (503, "upstream_unavailable")
            assert "html" not in answer.text
    assert row_of(connected, "alice") == before


@pytest.mark.parametrize("status", [200, 401])
def test_key_check_does_not_update_a_replaced_key(connected: App, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def replaced_meanwhile() -> Reply:
        assert connected.connect(key=OTHER_KEY).status == 201
        return Reply(status=status, body=b'{"data": {"limit_remaining": 1}, "error": {"code": 401}}')

    monkeypatch.setattr(connected.module("IntegrationTestFunction"), "upstream", Answers(replaced_meanwhile))
    assert _test(connected).status == (200 if status == 200 else 409)
    now = connected.call("GET", PATH).json
    assert (now["hint"], now["status"], now["limit_remaining_usd"]) == ("3210", "ok", "5")


def test_key_check_does_not_recreate_a_deleted_key(connected: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleted_meanwhile() -> Reply:
        assert connected.call("DELETE", PATH).status == 204
        return Reply(status=200, body=b'{"data": {"limit_remaining": 1}}')

    monkeypatch.setattr(connected.module("IntegrationTestFunction"), "upstream", Answers(deleted_meanwhile))
    assert _test(connected).status == 404
    assert connected.table("INTEGRATIONS_TABLE") == []


def test_key_check_errors_do_not_mention_cost(connected: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer() -> Reply:
        raise Failure(OutcomeUnknown("The call was sent and may have been charged."), effect=Effect.UNKNOWN)

    answer_with(connected, monkeypatch, no_answer)
    for answer in (_test(connected), connected.connect(key=OTHER_KEY)):
        assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (503, "upstream_unavailable", True)
        assert "paid" not in answer.text
        assert "charged" not in answer.text


def test_key_check_rejects_a_management_key(connected: App, monkeypatch: pytest.MonkeyPatch) -> None:
    before = row_of(connected, "alice")
    reply = Reply(status=200, body=b'{"data": {"label": "m", "is_management_key": true}}')
    answer_with(connected, monkeypatch, lambda: reply)
    saved = connected.connect(key=OTHER_KEY)
    assert row_of(connected, "alice") == before
    for answer in (saved, _test(connected)):
        assert (answer.status, answer.code) == (409, "credential_rejected")
        assert "management key" in answer.json["error"]["message"]
    assert connected.call("GET", PATH).json["status"] == "broken"
