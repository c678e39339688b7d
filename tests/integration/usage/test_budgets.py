"""Budgets end to end: holds, settlement, rejections, and the daily and monthly reset."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.domain.money import usd_text
from tests.fakes.clock import FakeClock
from tests.integration.app import CHEAP_MODEL, GOOD_KEY, Answer, App
from tests.integration.budgets import Budgets, nanousd, spent

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HALF_A_DAY, DAY = 43_200, 86_400
EXACT = "[[fake: price 0.0000001]]"
"""Sets the cost of an execution to 100 nano-USD, far below its worst case."""

SEARCHED = "[[fake: price 0.00524]]"
"""Sets the cost of an execution to that of an answer with one search."""


@pytest.fixture
def budgets(seeded: App, clock: FakeClock) -> Budgets:
    """Alice's app, with a connected key and no budget yet."""
    return Budgets(seeded)


@pytest.fixture
def resource_id(seeded: App) -> str:
    return str(seeded.resource(visibility="public")["resource_id"])


def assert_exhausted(answer: Answer, scope: str, period: str, retry_after: int) -> None:
    """Assert that a budget rejected the call, and that the error names its scope but no amount."""
    assert (answer.status, answer.code) == (429, "budget_exhausted"), answer.text
    error = answer.json["error"]
    assert (error["details"], error["retryable"]) == ({"scope": scope, "period": period}, True)
    assert answer.headers["Retry-After"] == str(retry_after)
    assert "USD" not in error["message"]


def test_execution_reserves_its_worst_case_and_settles_its_cost(budgets: Budgets, resource_id: str) -> None:
    budgets.set("user", "5.00", "100")
    answer = budgets.run(resource_id)
    cost = nanousd(answer.json["usage"]["cost_usd"])
    assert cost > 0
    assert budgets.rows("user#user_alice") == [(cost, cost)] * 2
    row = budgets.one()
    assert spent(row) == [cost, 0, 5 * 10**9 - cost]
    assert spent(row, "month") == [cost, 0, 100 * 10**9 - cost]
    assert (row["day"]["period"], row["month"]["period"]) == ("2026-11-27", "2026-11")
    assert row["day"]["resets_at"] == "2026-11-28T00:00:00.000000Z"
    assert row["month"]["resets_at"] == "2026-12-01T00:00:00.000000Z"


def test_execution_over_budget_is_rejected_and_not_recorded(budgets: Budgets, resource_id: str, seeded: App) -> None:
    budgets.set("user", usd_text(budgets.worst(EXACT) + 99))
    assert budgets.run(resource_id, EXACT).status == 200
    before = (len(seeded.fake.chat_requests), seeded.table("EXECUTIONS_TABLE"), budgets.rows())
    assert_exhausted(budgets.run(resource_id, EXACT), "user", "day", HALF_A_DAY)
    assert (len(seeded.fake.chat_requests), seeded.table("EXECUTIONS_TABLE"), budgets.rows()) == before


def test_execution_that_fits_exactly_is_allowed(budgets: Budgets, resource_id: str) -> None:
    budgets.set("user", usd_text(budgets.worst(EXACT) + 100))
    assert [budgets.run(resource_id, EXACT).status for _ in range(3)] == [200, 200, 429]
    assert budgets.rows() == [(200, 200)]


@pytest.mark.parametrize("period", ["daily", "monthly"])
def test_execution_above_the_whole_limit_returns_cost_cap(
    budgets: Budgets, resource_id: str, seeded: App, period: str
) -> None:
    for limit in ("0", usd_text(budgets.worst() - 1)):
        budgets.set("user", **{period: limit})
        answer = budgets.run(resource_id)
        assert (answer.status, answer.code) == (409, "cost_cap")
        assert "Retry-After" not in answer.headers
    assert (seeded.fake.chat_requests, seeded.table("EXECUTIONS_TABLE"), budgets.rows()) == ([], [], [])


def test_budget_resets_each_day_and_month(budgets: Budgets, resource_id: str, clock: FakeClock) -> None:
    worst = budgets.worst(EXACT)
    budgets.set("user", usd_text(worst), usd_text(worst + 199))
    assert budgets.run(resource_id, EXACT).status == 200
    assert_exhausted(budgets.run(resource_id, EXACT), "user", "day", HALF_A_DAY)
    clock.pass_seconds(HALF_A_DAY)
    assert spent(budgets.one()) == [0, 0, worst]
    assert budgets.run(resource_id, EXACT).status == 200
    clock.pass_seconds(DAY)
    assert spent(budgets.one()) == [0, 0, worst]
    assert_exhausted(budgets.run(resource_id, EXACT), "user", "month", 2 * DAY)
    clock.pass_seconds(2 * DAY)
    assert budgets.run(resource_id, EXACT).status == 200
    row = budgets.one()
    assert (row["day"]["period"], row["month"]["period"]) == ("2026-12-01", "2026-12")
    assert spent(row, "month") == [100, 0, worst + 99]


def test_lowered_limit_applies_to_later_executions(budgets: Budgets, resource_id: str) -> None:
    worst = budgets.worst(EXACT)
    budgets.set("user", usd_text(10 * worst))
    assert budgets.run(resource_id, EXACT).status == 200
    lowered = budgets.set("user", usd_text(worst))
    assert spent(lowered) == [100, 0, worst - 100]
    assert_exhausted(budgets.run(resource_id, EXACT), "user", "day", HALF_A_DAY)
    assert spent(budgets.set("user", "0.00000005")) == [100, 0, 0]
    budgets.set("user", usd_text(10 * worst))
    assert budgets.run(resource_id, EXACT).status == 200


def test_deleted_budget_rejects_nothing(budgets: Budgets, resource_id: str) -> None:
    budgets.set("user", "0")
    assert budgets.run(resource_id).code == "cost_cap"
    gone = budgets.set("user")
    assert (gone["daily_usd"], gone["monthly_usd"], spent(gone)) == (None, None, [None] * 3)
    assert budgets.run(resource_id).status == 200
    assert budgets.rows() == []


def test_unknown_outcome_keeps_its_hold_until_it_is_lost(
    budgets: Budgets, resource_id: str, clock: FakeClock, seeded: App
) -> None:
    worst = budgets.worst("[[fake: hang-up]]")
    budgets.set("user", usd_text(2 * worst - 1), "1")
    assert budgets.run(resource_id, "[[fake: hang-up]]").code == "outcome_unknown"
    assert spent(budgets.one()) == [0, worst, worst - 1]
    assert_exhausted(budgets.run(resource_id, "[[fake: hang-up]]"), "user", "day", HALF_A_DAY)
    clock.pass_seconds(DAY)
    assert seeded.invoke("ReconcileFunction", {"source": "aws.events"}) == {"lost": 1}
    row = budgets.one()
    assert spent(row) == [0, 0, 2 * worst - 1]  # reserved yesterday, so settled in yesterday's row
    assert spent(row, "month") == [worst, 0, 10**9 - worst]
    assert budgets.rows() == [(worst, worst)] * 2


def test_failure_without_cost_releases_its_hold(budgets: Budgets, resource_id: str) -> None:
    budgets.set("user", "1")
    assert budgets.run(resource_id, "[[fake: error 500]]").code == "upstream_error"
    assert spent(budgets.one()) == [0, 0, 10**9]


def test_idempotent_repeat_is_counted_once(budgets: Budgets, resource_id: str, seeded: App) -> None:
    budgets.set("user", "1")
    body = {"resource_id": resource_id, "inputs": {"prompt": EXACT}}
    answers = [seeded.call("POST", "/api/execute", body, headers={"Idempotency-Key": "once"}).text for _ in range(2)]
    assert answers[0] == answers[1]
    assert budgets.rows() == [(100, 100)]


def test_budget_of_a_key_counts_calls_with_that_key(budgets: Budgets, resource_id: str, seeded: App) -> None:
    tight, free = (_key(seeded, "alice") for _ in range(2))
    budgets.set("api_key", usd_text(budgets.worst(EXACT)), id=tight)
    for key_id in (tight, free, None):
        assert budgets.run(resource_id, EXACT, key_id=key_id).status == 200
    assert_exhausted(budgets.run(resource_id, EXACT, key_id=tight), "api_key", "day", HALF_A_DAY)
    for key_id in (free, None):
        assert budgets.run(resource_id, EXACT, key_id=key_id).status == 200
    assert budgets.rows() == budgets.rows(f"api_key#{tight}") == [(100, 100)]


def test_budget_of_a_resource_counts_all_callers_for_its_owner(budgets: Budgets, resource_id: str, seeded: App) -> None:
    seeded.connect("bob", "sk-or-v1-" + "b" * 64)
    budgets.set("resource", usd_text(4 * budgets.worst(EXACT)), id=resource_id)
    assert [budgets.run(resource_id, EXACT, user=user).status for user in ("alice", "bob")] == [200, 200]
    assert [budgets.run(resource_id, "[[fake: hang-up]]").code for _ in range(4)] == ["outcome_unknown"] * 4
    refused = budgets.run(resource_id, EXACT, user="bob")
    assert_exhausted(refused, "resource", "day", HALF_A_DAY)
    assert spent(budgets.one("resource", id=resource_id))[0] == 200
    assert [row["scope"] for row in budgets.all("bob", "execute manage")] == ["user"]
    assert spent(budgets.one(user="bob")) == [None] * 3


def test_execution_reserves_in_every_budget_or_in_none(budgets: Budgets, resource_id: str, seeded: App) -> None:
    key_id, worst = _key(seeded, "alice"), budgets.worst(EXACT)
    budgets.set("user", "1", "1")
    budgets.set("api_key", "1", "1", id=key_id)
    budgets.set("resource", "1", usd_text(worst), id=resource_id)
    budgets.set("global", "1", "1")
    assert budgets.run(resource_id, EXACT, key_id=key_id).status == 200
    assert_exhausted(budgets.run(resource_id, EXACT, key_id=key_id), "resource", "month", HALF_A_DAY + 3 * DAY)
    for subject in ("user#user_alice", f"api_key#{key_id}", "global#"):
        assert budgets.rows(subject) == [(100, 100)] * 2


def test_exceeded_callers_budget_is_reported_first(budgets: Budgets, resource_id: str, seeded: App) -> None:
    limit = usd_text(budgets.worst(EXACT))
    for scope, more in (("resource", {"id": resource_id}), ("user", {})):
        budgets.set(scope, limit, **more)
    assert budgets.run(resource_id, EXACT).status == 200
    assert_exhausted(budgets.run(resource_id, EXACT), "user", "day", HALF_A_DAY)


def test_global_budget_is_sharded_eight_ways(budgets: Budgets, resource_id: str, seeded: App) -> None:
    worst = budgets.worst(EXACT)
    budgets.set("global", usd_text(8 * worst))
    assert [budgets.run(resource_id, EXACT).status for _ in range(9)] == [200] * 8 + [429]
    assert_exhausted(budgets.run(resource_id, EXACT), "global", "day", HALF_A_DAY)
    assert budgets.rows("global#") == [(100, 100)] * 8
    assert spent(budgets.one("global")) == [800, 0, 8 * worst - 800]
    budgets.set("global", usd_text(8 * worst - 1))
    seeded.fake.forget_requests()
    answer = budgets.run(resource_id, EXACT)
    assert (answer.code, answer.json["error"]["details"]["scope"]) == ("cost_cap", "global")
    assert seeded.fake.chat_requests == []


def test_budget_caps_provider_prices_at_the_catalog_price(budgets: Budgets, resource_id: str, seeded: App) -> None:
    (pricing,) = (row["pricing"] for row in seeded.fake.catalog if row["id"] == "juniper/quill-7b")
    budgets.run(resource_id)
    budgets.set("user", "1")
    budgets.run(resource_id)
    free, held = (sent.json["provider"]["max_price"] for sent in seeded.fake.chat_requests)
    for name in ("prompt", "completion"):
        assert nanousd(held[name]) == pytest.approx(nanousd(pricing[name]) * 10**6, abs=10**6)
        assert nanousd(free[name]) > 2 * nanousd(held[name])


def test_budget_of_a_deleted_item_can_only_be_deleted(budgets: Budgets, seeded: App) -> None:
    resource_id, key_id = seeded.resource()["resource_id"], _key(seeded, "alice")
    budgets.set("resource", "1", id=resource_id)
    budgets.set("api_key", "1", id=key_id)
    assert seeded.call("DELETE", f"/api/resources/{resource_id}").status == 204
    assert seeded.call("DELETE", f"/api/user/api-keys/{key_id}").status == 204
    assert [row["scope"] for row in budgets.all()] == ["user", "api_key", "resource", "global"]
    raised = budgets.put("resource", "2", id=resource_id)
    assert (raised.status, raised.code) == (404, "not_found")
    assert budgets.one("resource", id=resource_id)["daily_usd"] == "1"
    for scope, subject_id in (("resource", resource_id), ("api_key", key_id)):
        assert budgets.set(scope, id=subject_id)["daily_usd"] is None
    assert [row["scope"] for row in budgets.all()] == ["user", "global"]
    assert budgets.put("resource", id=resource_id).status == 404


def test_execution_without_a_budget_makes_no_extra_write(budgets: Budgets, resource_id: str, seeded: App) -> None:
    budgets.run(resource_id)
    assert [row for row in seeded.table("LIMITS_TABLE") if "spend#" in row["name"]["S"]] == []
    (sent,) = seeded.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {GOOD_KEY}"


def _key(app: App, user: str) -> str:
    body: dict[str, Any] = {"name": "spare", "scopes": ["execute"]}
    return str(app.call("POST", "/api/user/api-keys", body, user=user).json["key_id"])


def test_own_searches_of_a_model_are_held_in_the_budget(budgets: Budgets, seeded: App) -> None:
    rows = copy.deepcopy(seeded.fake.catalog)
    row = next(row for row in rows if row["id"] == CHEAP_MODEL)
    row["pricing"]["web_search"] = "0.005"
    row["supported_parameters"] = sorted({*row["supported_parameters"], "web_search_options"})
    seeded.fake.catalog = rows
    seeded.sync()
    resource = seeded.resource(visibility="public")["resource_id"]
    assert 5_000_000 < budgets.worst(SEARCHED) < 5_900_000
    budgets.set("user", "0.006")
    statuses = [budgets.run(resource, SEARCHED).status for _ in range(5)]
    assert statuses == [200, 429, 429, 429, 429]
    assert budgets.rows() == [(5_240_000, 5_240_000)]


def test_call_under_a_budget_names_the_held_price_that_no_provider_undercuts(
    budgets: Budgets, resource_id: str, seeded: App
) -> None:
    rows = copy.deepcopy(seeded.fake.catalog)
    row = next(row for row in rows if row["id"] == CHEAP_MODEL)
    expensive = row["pricing"] | {"prompt": "0.001"}
    row["pricing"] = expensive
    seeded.fake.catalog = rows
    assert seeded.sync()["held"] == 1
    unlimited = budgets.run(resource_id)
    assert "held" not in unlimited.text
    budgets.set("user", "1")
    answer = budgets.run(resource_id)
    assert (answer.status, answer.code) == (409, "model_unavailable"), answer.text
    details = answer.json["error"]["details"]
    assert (details["model"], details["price_held"]) == (CHEAP_MODEL, {"prompt": "0.001"})
    assert "budget" in answer.json["error"]["message"]
    model = seeded.call("GET", f"/api/models/{CHEAP_MODEL}", user=None).json
    assert details["price_held_until"][:10] > model["price_held_since"][:10]
    seeded.sync(accept_prices=True)
    assert budgets.run(resource_id).status in {200, 409}
    assert "held" not in budgets.run(resource_id).text
