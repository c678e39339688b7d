"""Rate limits: every authenticated route has a limit, and the behaviour when the rate limiter is unavailable."""

import logging
import re
from collections.abc import Iterator

import pytest

from tests.fakes.aws_faults import failure, faults
from tests.integration.app import TEMPLATE, Answer, App, deployed_app
from tests.integration.synced_app import new_user
from tests.local.plan import Route

EXECUTE = ("POST", "/api/execute")
KEYS = "/api/user/integrations/{service}"
PLATFORM_S = "/api/admin/integrations/{service}"
KEY_CHECKS = {
    ("POST", KEYS),
    ("POST", f"{KEYS}/test"),
    ("POST", f"{KEYS}/connect/complete"),
    ("POST", PLATFORM_S),
    ("POST", f"{PLATFORM_S}/test"),
}
STREAMS = {("POST", "/api/execute/stream"), ("GET", "/api/executions/{execution_id}/stream")}
OPENAI = {("POST", "/v1/chat/completions"), ("POST", "/v1/responses"), ("POST", "/v1/embeddings")}
CLOSED = {EXECUTE, *STREAMS, *OPENAI, *KEY_CHECKS}
"""Routes that fail closed: they cost money, take a place in flight or reveal whether a key is valid."""

ABSENT = "res_00000000000000000000000000"


def protected() -> list[tuple[str, str]]:
    """Return every authenticated route of the template."""
    functions = [body["Properties"] for body in TEMPLATE["Resources"].values() if body["Type"].endswith("::Function")]
    events = [event["Properties"] for body in functions for event in body.get("Events", {}).values()]
    open_to_all = {"Authorizer": "NONE"}
    return sorted((e["Method"], e["Path"]) for e in events if "Path" in e and e.get("Auth") != open_to_all)


@pytest.fixture(scope="module")
def narrow() -> Iterator[App]:
    """An app with a limit of one request per route."""
    once = {"RatePerMinute": "1", "ExecutePerMinute": "1", "KeyChecksPerHour": "1", "MostInFlight": "9"}
    with deployed_app(**once) as opened:
        yield opened


def garbage(app: App, route: tuple[str, str], user: str) -> Answer:
    """Send an invalid request that reaches no external service."""
    path = re.sub(r"{service}", "openrouter", re.sub(r"{\w+_id}", ABSENT, route[1]))
    return app.call(route[0], path, raw="{" if route[0] in {"POST", "PATCH", "PUT"} else None, user=user)


def assert_limited(answer: Answer, most: int) -> None:
    """Assert that the rate limiter rejected the request, with all fields of the error."""
    assert (answer.status, answer.code) == (429, "rate_limited"), answer.text
    error = answer.json["error"]
    assert (error["details"]["limit"], error["details"]["most"], error["retryable"]) == ("rate", most, True)
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600
    assert answer.headers["Cache-Control"] == "no-store"
    assert str(most) in error["message"]


@pytest.mark.parametrize("route", protected(), ids=" ".join)
def test_authenticated_routes_are_rate_limited_including_invalid_bodies(narrow: App, route: tuple[str, str]) -> None:
    user = new_user()
    answers = [garbage(narrow, route, user) for _ in range(3)]  # at most one window boundary can fall between them
    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].status != 429
    assert refused
    for answer in refused:
        assert_limited(answer, 1)
    assert garbage(narrow, route, new_user()).status == answers[0].status


def test_public_routes_are_not_rate_limited(narrow: App) -> None:
    open_routes: list[Route] = [route for route in narrow.plan.operations if not route.authorizer]
    assert {(route.method, route.path) for route in narrow.plan.operations} == {
        *protected(),
        *((route.method, route.path) for route in open_routes),
    }
    for _ in range(3):
        assert narrow.call("GET", "/api/resource-types", user=None).status == 200


def test_connect_and_key_checks_share_one_limit(narrow: App) -> None:
    user = new_user()
    assert narrow.connect(user).status == 201
    asked = len(narrow.fake.requests)
    answers = [narrow.call("POST", "/api/user/integrations/openrouter/test", user=user), narrow.connect(user)]
    assert 429 in {answer.status for answer in answers}
    assert len(narrow.fake.requests) - asked == sum(answer.status < 300 for answer in answers)
    counts = {row["name"]["S"].rpartition("#")[0] for row in narrow.table("LIMITS_TABLE")}
    assert {name for name in counts if f"user_{user}#" in name} == {f"calls#user_{user}#key checks"}


def test_rate_limited_execution_sends_and_records_nothing(narrow: App) -> None:
    user = new_user()
    garbage(narrow, EXECUTE, user)
    body = {"resource_id": ABSENT, "inputs": {"prompt": "hello"}}
    assert_limited(narrow.call(*EXECUTE, body, user=user), 1)
    assert narrow.fake.chat_requests == []
    assert narrow.table("EXECUTIONS_TABLE") == []


@pytest.mark.parametrize("route", protected(), ids=" ".join)
def test_spending_routes_fail_closed_and_others_fail_open(
    narrow: App, route: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    narrow.fake.forget_requests()
    with faults("UpdateItem", failure("ResourceNotFoundException")), caplog.at_level(logging.WARNING):
        answer = garbage(narrow, route, new_user())
    warned = [record for record in caplog.records if "a call was not counted" in record.getMessage()]
    if route in CLOSED:
        assert (answer.status, answer.code) == (503, "limits_unavailable")
        assert (answer.json["error"]["retryable"], answer.headers["Retry-After"]) == (True, "1")
        assert (narrow.fake.requests, warned) == ([], [])
        return
    assert answer.status in {200, 302, 400, 404, 422}, answer.text
    assert len(warned) == 1
