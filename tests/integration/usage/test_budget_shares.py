"""Users without credits, and callers with many calls, cannot hold a budget that others share."""

import pytest

from instant.domain.money import usd_text
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.budgets import Budgets, spent

DAY = 86_400
STUCK = "[[fake: hang-up]]"
"""A call whose outcome stays unknown, so that it keeps its hold."""

NAMED = "[[fake: truncated]]"
"""The same, with a generation id, by which its outcome is looked up."""

ACCOUNTS = [f"account{number}" for number in range(8)]


@pytest.fixture
def budgets(seeded: App, clock: FakeClock) -> Budgets:
    return Budgets(seeded)


@pytest.fixture
def resource_id(seeded: App) -> str:
    """A public resource of Alice."""
    return str(seeded.resource(visibility="public")["resource_id"])


def connect(app: App, *, empty: bool) -> None:
    """Connect a key of its own for each account, and one for Bob."""
    for number, user in enumerate(ACCOUNTS):
        app.connect(user, f"sk-or-v1-{'broke' if empty else 'good'}{number:055d}")
    app.connect("bob")


@pytest.mark.parametrize("scope", ["resource", "global"])
def test_eight_empty_accounts_do_not_shut_a_shared_budget(
    budgets: Budgets, resource_id: str, seeded: App, scope: str
) -> None:
    connect(seeded, empty=True)
    worst = budgets.worst()
    more = {"id": resource_id} if scope == "resource" else {}
    budgets.set(scope, usd_text(8 * 4 * worst), **more)
    for _ in range(3):
        answers = [budgets.run(resource_id, user=user) for user in ACCOUNTS]
        assert {answer.code for answer in answers} == {"credits_exhausted"}
        assert [budgets.run(resource_id, user=user).status for user in ("alice", "bob")] == [200, 200]
    executions = len(seeded.table("EXECUTIONS_TABLE"))
    held = budgets.rows()
    seeded.fake.forget_requests()
    assert {budgets.run(resource_id, user=user).code for user in ACCOUNTS * 3} == {"credits_exhausted"}
    assert (len(seeded.table("EXECUTIONS_TABLE")), budgets.rows(), seeded.fake.requests) == (executions, held, [])


def test_empty_account_with_credits_again_holds_after_a_check(
    budgets: Budgets, resource_id: str, seeded: App, clock: FakeClock
) -> None:
    budgets.set("global", "100")
    seeded.connect("bob", "sk-or-v1-limited" + "0" * 50)
    assert [budgets.run(resource_id, user="bob").code for _ in range(2)] == ["credits_exhausted"] * 2
    assert len(seeded.fake.chat_requests) == 1  # the check says that the limit of the key is used up
    seeded.connect("bob")
    assert budgets.run(resource_id, user="bob").status == 200


def test_empty_account_is_not_checked_without_a_shared_budget(budgets: Budgets, resource_id: str, seeded: App) -> None:
    """Nobody else is affected, and a cheaper call can succeed."""
    budgets.set("user", "1", user="account0")
    connect(seeded, empty=True)
    for _ in range(3):
        assert budgets.run(resource_id, user="account0").code == "credits_exhausted"
    assert len(seeded.fake.chat_requests) == 3


def test_callers_with_open_calls_leave_a_share_to_the_owner(budgets: Budgets, resource_id: str, seeded: App) -> None:
    connect(seeded, empty=False)
    worst = budgets.worst(STUCK)
    budgets.set("resource", usd_text(8 * worst), id=resource_id)
    codes = [budgets.run(resource_id, STUCK, user=user).code for user in ACCOUNTS * 2]
    assert codes.count("outcome_unknown") == 6
    assert set(codes) == {"outcome_unknown", "budget_exhausted"}
    assert spent(budgets.one("resource", id=resource_id)) == [0, 6 * worst, 2 * worst]
    assert budgets.run(resource_id).status == 200


def test_one_large_call_of_another_user_does_not_shut_out_the_owner(
    budgets: Budgets, resource_id: str, seeded: App
) -> None:
    seeded.connect("bob")
    worst = budgets.worst(STUCK)
    budgets.set("resource", usd_text(4 * worst - 4), id=resource_id)
    refused = budgets.run(resource_id, STUCK, user="bob")
    assert (refused.status, refused.code) == (409, "cost_cap"), refused.text
    error = refused.json["error"]
    assert error["details"] == {"scope": "resource", "period": "day", "limit": "share"}
    assert "owner can raise" in error["message"]
    assert (seeded.fake.chat_requests, seeded.table("EXECUTIONS_TABLE"), budgets.rows()) == ([], [], [])
    assert budgets.run(resource_id, STUCK).code == "outcome_unknown"
    budgets.set("resource", usd_text(5 * worst), id=resource_id)
    assert budgets.run(resource_id, STUCK, user="bob").code == "outcome_unknown"


def test_caller_holds_at_most_a_quarter_of_a_shared_budget(budgets: Budgets, resource_id: str, seeded: App) -> None:
    connect(seeded, empty=False)
    worst = budgets.worst(STUCK)
    budgets.set("global", usd_text(32 * worst))
    answers = [budgets.run(resource_id, STUCK, user="account0") for _ in range(9)]
    assert [answer.code for answer in answers] == ["outcome_unknown"] * 8 + ["budget_exhausted"]
    error = answers[-1].json["error"]
    assert error["details"] == {"scope": "global", "period": "day", "limit": "share"}
    assert answers[-1].headers["Retry-After"] == "2"
    assert budgets.run(resource_id, user="bob").status == 200


@pytest.mark.parametrize("change", ["deleted", "disabled", "replaced", "kept"])
def test_lost_call_counts_for_a_day_if_its_caller_took_the_key_away(
    budgets: Budgets, resource_id: str, seeded: App, clock: FakeClock, change: str
) -> None:
    seeded.connect("bob")
    worst = budgets.worst(NAMED)
    budgets.set("global", None, "10")
    budgets.set("resource", None, "10", id=resource_id)
    budgets.set("user", None, "10", user="bob")
    seeded.fake.hold_generations()
    assert budgets.run(resource_id, NAMED, user="bob").status in {502, 504}
    path = "/api/user/integrations/openrouter"
    if change == "deleted":
        seeded.call("DELETE", path, user="bob")
    elif change == "disabled":
        seeded.call("PATCH", path, {"is_enabled": False}, user="bob")
    elif change == "replaced":
        seeded.connect("bob", "sk-or-v1-" + "c" * 64)
    clock.pass_seconds(DAY - 1)
    seeded.seconds = 300
    seeded.invoke("ReconcileFunction", {"source": "aws.events"})
    held = [spent(budgets.one("global"), "month"), spent(budgets.one("resource", id=resource_id), "month")]
    assert [row[:2] for row in held] == [[0, worst]] * 2
    clock.pass_seconds(3_600)
    assert seeded.invoke("ReconcileFunction", {"source": "aws.events"}) == {"lost": 1}
    counted = worst if change == "kept" else 0
    held = [spent(budgets.one("global"), "month"), spent(budgets.one("resource", id=resource_id), "month")]
    assert [row[:2] for row in held] == [[counted, 0]] * 2
    assert spent(budgets.one(user="bob"), "month")[:2] == [worst, 0]
    stats = seeded.call("GET", f"/api/resources/{resource_id}").json["stats"]
    assert stats["failure_count_30d"] == (1 if change == "kept" else 0)
