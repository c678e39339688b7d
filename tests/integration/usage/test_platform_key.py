"""The platform's own key: who may connect it, which users and models it pays for, and its limits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.domain.money import usd_text
from instant.domain.usage.budget import GLOBAL_SHARDS
from instant.use_cases.executions.credential import PlatformTerms
from tests.fakes.clock import FakeClock
from tests.integration.access.test_integrations import REFUSED_KEY
from tests.integration.app import GOOD_KEY, Answer, App, deployed_app
from tests.integration.aws_calls import recorded
from tests.integration.budgets import Budgets, nanousd, set_clocks
from tests.integration.synced_app import new_user

PATH = "/api/admin/integrations/openrouter"
PLATFORM_KEY = "sk-or-v1-" + "fedcba9876543210" * 4
MODEL, OTHER, FREE, HALF_FREE = "meadow/lark", "juniper/quill-7b", "meadow/lark-mini:free", "northwind/easel-max"
EXACT = "[[fake: price 0.0000001]]"
"""Sets the cost of an execution to 100 nano-USD, far below its worst case."""

EACH_USD, ALL_USD = "0.002", "0.016"
"""Limits per day: twice the worst case of a call per user, and as much in each of the eight global shards."""


@pytest.fixture(scope="module")
def generous() -> Iterator[App]:
    """An app whose platform pays for some models, two of which have no price."""
    models = f"{MODEL}, {FREE},{HALF_FREE}"
    with deployed_app(PlatformModels=models, PlatformDailyUsd=ALL_USD, PlatformDailyUsdEach=EACH_USD) as app:
        yield app


@pytest.fixture
def app(generous: App) -> App:
    """The same app with the platform's key connected, a synced catalog, and no users."""
    generous.empty()
    generous.sync()
    assert connect(generous).status == 201
    generous.fake.forget_requests()
    return generous


def connect(app: App, key: str = PLATFORM_KEY, **more: Any) -> Answer:
    """Connect the platform's key as an admin."""
    return app.call("POST", PATH, {"api_key": key, **more}, scopes="admin")


def public(app: App, model: str = MODEL, **config: Any) -> str:
    """A public resource of a user who has a key."""
    settings = {"model": model, "max_tokens": 1_000, **config}
    return str(app.resource("owner", config=settings, visibility="public")["resource_id"])


def row(app: App, user_id: str) -> dict[str, Any]:
    """Return the integration of a user, or {}."""
    rows = [row for row in app.table("INTEGRATIONS_TABLE") if row["service"]["S"] != "#user"]
    return next((row for row in rows if row["user_id"]["S"] == user_id), {})


def assert_nothing_sent(app: App, answer: Answer, code: str) -> None:
    assert answer.code == code, answer.text
    assert app.fake.chat_requests == []
    assert app.table("EXECUTIONS_TABLE") == []


def test_admin_connects_the_platform_key_like_a_user_key(app: App) -> None:
    shown = app.call("GET", PATH, scopes="admin").json
    own = app.connect().json
    assert shown.keys() == own.keys()
    assert shown["hint"] == PLATFORM_KEY[-4:]
    assert PLATFORM_KEY not in str(app.table("INTEGRATIONS_TABLE"))
    assert row(app, "#platform")["ciphertext"] != row(app, "user_alice")["ciphertext"]
    changed = app.call("PATCH", PATH, {"is_enabled": False, "max_cost_per_call_usd": "0.01"}, scopes="admin").json
    assert (changed["is_enabled"], changed["max_cost_per_call_usd"]) == (False, "0.01")
    assert app.call("GET", "/api/user/integrations/openrouter").json == own
    assert app.call("DELETE", PATH, scopes="admin").status == 204
    assert (app.call("GET", PATH, scopes="admin").code, row(app, "#platform")) == ("not_found", {})
    assert row(app, "user_alice")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_platform_key_routes_reject_other_users(app: App, method: str) -> None:
    body = {"POST": {"api_key": GOOD_KEY}, "PATCH": {"is_enabled": False}}.get(method)
    before = row(app, "#platform")
    answer = app.call(method, PATH, body, scopes="execute manage")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert (row(app, "#platform"), app.fake.requests) == (before, [])


def test_platform_key_that_fails_its_check_is_not_stored(app: App) -> None:
    before = row(app, "#platform")
    assert connect(app, REFUSED_KEY).code == "credential_rejected"
    assert connect(app, "nonsense").code == "invalid_field"
    assert app.call("POST", PATH.replace("openrouter", "other"), {"api_key": GOOD_KEY}).code == "not_found"
    assert row(app, "#platform") == before


def test_platform_key_serves_users_without_a_key(app: App) -> None:
    user, resource_id = new_user(), public(app)
    with recorded("kms") as calls:
        answer = app.execute(resource_id, user=user)
    assert answer.status == 200, answer.text
    (sent,) = app.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {PLATFORM_KEY}"
    (call,) = calls
    assert call.operation == "Decrypt"
    assert call.parameters["EncryptionContext"] == {
        "app": "instant",
        "stage": "test",
        "user_id": "#platform",
        "service": "openrouter",
    }
    (execution,) = app.table("EXECUTIONS_TABLE")
    assert (execution["payer_id"]["S"], execution["key_source"]["S"]) == ("#platform", "platform")
    assert execution["user_id"]["S"] == f"user_{user}"
    cost = int(execution["cost_nanousd"]["N"])
    budgets = Budgets(app)
    assert budgets.rows(f"platform_user#user_{user}#") == budgets.rows("platform#") == [(cost, cost)]


def test_platform_key_is_not_used_for_users_with_a_key(app: App) -> None:
    resource_id = public(app)
    app.connect("bob")
    assert app.execute(resource_id, user="bob").status == 200
    assert app.fake.chat_requests[0].headers["authorization"] == f"Bearer {GOOD_KEY}"
    assert Budgets(app).rows() == []


def test_platform_key_does_not_replace_a_disabled_or_rejected_key(app: App) -> None:
    resource_id = public(app)
    app.connect("bob")
    app.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False}, user="bob")
    assert_nothing_sent(app, app.execute(resource_id, user="bob"), "credential_disabled")
    app.connect("bob")
    app.fake.revoked_keys.add(GOOD_KEY)
    assert app.call("POST", "/api/user/integrations/openrouter/test", user="bob").code == "credential_rejected"
    app.fake.revoked_keys.clear()
    assert_nothing_sent(app, app.execute(resource_id, user="bob"), "credential_rejected")


@pytest.mark.parametrize(
    ("model", "config"),
    [(OTHER, {}), (MODEL, {"fallback_models": [OTHER]}), (FREE, {}), (HALF_FREE, {"max_tokens": None})],
    ids=["another model", "another fallback", "a free model", "free prompts"],
)
def test_platform_key_pays_only_for_listed_models_with_a_price(app: App, model: str, config: dict[str, Any]) -> None:
    answer = app.execute(public(app, model, **config), user=new_user())
    assert_nothing_sent(app, answer, "credential_missing")
    assert answer.status == 409


@pytest.mark.parametrize("pricing", [{"prompt": "0", "completion": "0.00000072"}, {"prompt": "0.00000018"}])
def test_platform_key_stops_serving_a_model_without_a_price(app: App, pricing: dict[str, str]) -> None:
    resource_id = public(app)
    rows = app.fake.catalog
    app.fake.catalog = [{**row, "pricing": pricing} if row["id"] == MODEL else row for row in rows]
    app.sync(accept_prices=True, accept_losses=True)
    answer = app.execute(resource_id, user=new_user())
    assert answer.status == 409
    assert_nothing_sent(app, answer, answer.code)
    app.fake.catalog = rows


def test_platform_key_enforces_the_daily_limit_per_user(app: App) -> None:
    budgets, resource_id, user = Budgets(app), public(app), new_user()
    assert 1_000_000 < worst(app, resource_id) * 2 < 2_000_000
    answers = [budgets.run(resource_id, "[[fake: price 0.0007]]", user=user) for _ in range(4)]
    refused = [answer for answer in answers if answer.status == 429]
    assert [answer.status for answer in answers][:2] == [200, 200]
    assert refused
    assert (refused[0].code, refused[0].json["error"]["details"]["scope"]) == ("budget_exhausted", "platform_user")
    assert all(committed <= 2_000_000 for committed, _ in budgets.rows(f"platform_user#user_{user}#"))
    assert budgets.run(resource_id, EXACT, user=new_user()).status == 200


def test_platform_key_enforces_the_daily_limit_of_all_users(app: App) -> None:
    budgets, resource_id = Budgets(app), public(app)
    answers = [budgets.run(resource_id, "[[fake: price 0.0019]]", user=new_user()) for _ in range(GLOBAL_SHARDS + 1)]
    assert [answer.status for answer in answers] == [200] * GLOBAL_SHARDS + [429]
    assert answers[-1].json["error"]["details"]["scope"] == "platform"
    assert budgets.rows("platform#") == [(1_900_000, 1_900_000)] * GLOBAL_SHARDS
    assert len(app.fake.chat_requests) == GLOBAL_SHARDS


def test_platform_key_cap_per_call_names_the_alternative(app: App) -> None:
    resource_id = public(app)
    connect(app, max_cost_per_call_usd=usd_text(worst(app, resource_id) - 1))
    answer = app.execute(resource_id, user=new_user())
    assert_nothing_sent(app, answer, "cost_cap")
    assert "connect a key of your own" in answer.json["error"]["message"]


@pytest.mark.parametrize("kind", ["error 401", "error 402", "error 403 limit"])
def test_platform_key_failure_is_not_reported_as_the_callers(app: App, kind: str) -> None:
    if kind == "error 401":
        app.fake.revoked_keys.add(PLATFORM_KEY)
    answer = app.execute(public(app), f"[[fake: {kind}]]", user=new_user())
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert "key" in answer.json["error"]["message"]
    assert {spent for _, spent in Budgets(app).rows()} == {0}
    assert row(app, "#platform")["status"]["S"] == ("broken" if kind == "error 401" else "ok")


@pytest.mark.parametrize("state", ["disabled", "broken", "gone"])
def test_platform_key_that_is_unusable_serves_no_user(app: App, state: str) -> None:
    resource_id = public(app)
    if state == "disabled":
        app.call("PATCH", PATH, {"is_enabled": False}, scopes="admin")
    elif state == "gone":
        app.call("DELETE", PATH, scopes="admin")
    else:
        app.fake.revoked_keys.add(PLATFORM_KEY)
        app.execute(resource_id, user=new_user())
        app.fake.forget_requests()
    answer = app.execute(resource_id, user=new_user())
    assert (answer.status, answer.code, app.fake.chat_requests) == (409, "credential_missing", [])


def test_platform_key_has_a_test_route(app: App) -> None:
    app.fake.revoked_keys.add(PLATFORM_KEY)
    refused = app.call("POST", f"{PATH}/test", scopes="admin")
    assert (refused.status, refused.code) == (409, "credential_rejected")
    assert app.call("GET", PATH, scopes="admin").json["status"] == "broken"
    app.fake.revoked_keys.clear()
    passed = app.call("POST", f"{PATH}/test", scopes="admin")
    assert (passed.status, passed.json["status"], passed.json["hint"]) == (200, "ok", PLATFORM_KEY[-4:])
    assert app.call("POST", f"{PATH}/test", scopes="execute read manage").status == 403


def test_rejected_platform_key_works_again_by_itself(app: App) -> None:
    resource_id, clock = public(app), FakeClock(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    with set_clocks(app, clock):
        app.fake.revoked_keys.add(PLATFORM_KEY)
        codes = [app.execute(resource_id, user=new_user()).code for _ in range(2)]
        assert codes == ["upstream_error", "credential_missing"]
        app.fake.revoked_keys.clear()
        clock.pass_seconds(30)
        assert app.execute(resource_id, user=new_user()).status == 200
    assert app.call("GET", PATH, scopes="admin").json["status"] == "ok"


@pytest.mark.parametrize("missing", ["models", "daily_nanousd", "daily_nanousd_each"])
def test_platform_key_requires_all_three_parameters(missing: str) -> None:
    given: dict[str, Any] = {"models": frozenset({MODEL}), "daily_nanousd": 1, "daily_nanousd_each": 1}
    assert PlatformTerms(**given).are_on
    assert not PlatformTerms(**{**given, missing: type(given[missing])()}).are_on


def worst(app: App, resource_id: str, prompt: str = "Say hello.") -> int:
    """Return the worst-case cost of an execution, in nano-USD."""
    body = {"resource_id": resource_id, "inputs": {"prompt": prompt}}
    shown = app.call("POST", "/api/resources/preview", body, user="owner").json
    return nanousd(shown["worst_case_usd"])
