"""GET and PUT /api/budgets: who may set and see which, what is taken for a budget, and what is never told."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.domain.limits import MAX_BUDGETS
from tests.fakes.aws_faults import cancelled, failure, faults, lost_answer
from tests.integration.app import Answer, App
from tests.integration.budgets import BUDGETS, Budgets
from tests.integration.synced_app import created, deployed_synced_app, new_user

MISSING = {"api_key": "key_00000000000000000000000000", "resource": "res_00000000000000000000000000"}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


@pytest.fixture
def budgets(shared: App) -> Budgets:
    return Budgets(shared)


@pytest.fixture
def user() -> str:
    return new_user()


def own(app: App, user: str) -> dict[str, str]:
    """A key and a resource of the user's, by scope."""
    key = app.call("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}, user=user).json
    return {"api_key": key["key_id"], "resource": created(app, user)["resource_id"]}


def test_one_s_own_budget_is_always_there_and_unset_it_knows_no_figures(budgets: Budgets, user: str) -> None:
    (row,) = budgets.all(user, "manage")
    assert set(row) == {"scope", "id", "daily_usd", "monthly_usd", "day", "month"}
    assert [row[name] for name in ("scope", "id", "daily_usd", "monthly_usd")] == ["user", None, None, None]
    for period in (row["day"], row["month"]):
        assert set(period) == {"period", "spent_usd", "reserved_usd", "left_usd", "resets_at"}
        assert [period[name] for name in ("spent_usd", "reserved_usd", "left_usd")] == [None] * 3
    assert budgets.one(user=user) == row


def test_what_was_set_is_answered_as_it_is_shown_from_then_on(budgets: Budgets, user: str) -> None:
    ids = own(budgets.app, user)
    rows = [
        budgets.set("user", "5.00", None, user=user),
        budgets.set("api_key", "0", "0.000000001", user=user, id=ids["api_key"]),
        budgets.set("resource", None, "1000000", user=user, id=ids["resource"]),
    ]
    assert budgets.all(user, "manage") == rows
    assert [(row["id"], row["daily_usd"], row["monthly_usd"]) for row in rows] == [
        (None, "5", None),
        (ids["api_key"], "0", "0.000000001"),
        (ids["resource"], None, "1000000"),
    ]
    assert [row["day"]["left_usd"] for row in rows] == ["5", "0", None]
    for row in rows[1:]:
        assert budgets.one(row["scope"], user=user, id=row["id"]) == row


def test_setting_replaces_both_limits(budgets: Budgets, user: str) -> None:
    budgets.set("user", "5", "50", user=user)
    budgets.set("user", None, "40", user=user)
    row = budgets.one(user=user)
    assert (row["daily_usd"], row["monthly_usd"]) == (None, "40")


def test_taking_away_is_final_and_again_is_the_same(budgets: Budgets, user: str) -> None:
    ids = own(budgets.app, user)
    for scope, more in (("user", {}), ("api_key", {"id": ids["api_key"]})):
        budgets.set(scope, "1", user=user, **more)
        assert budgets.set(scope, user=user, **more) == budgets.set(scope, user=user, **more)
    assert [row["scope"] for row in budgets.all(user, "manage")] == ["user"]
    assert stored(budgets.app, user) == []


@pytest.mark.parametrize("scope", MISSING)
@pytest.mark.parametrize("daily", ["1", None])
def test_another_s_key_or_resource_is_exactly_as_missing(
    budgets: Budgets, user: str, scope: str, daily: str | None
) -> None:
    ids, stranger = own(budgets.app, user), new_user()
    budgets.set(scope, "7", user=user, id=ids[scope])
    before = budgets.app.table("LIMITS_TABLE")
    foreign, absent = (budgets.put(scope, daily, user=stranger, id=each) for each in (ids[scope], MISSING[scope]))
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign == absent
    seen = [read(budgets.app, stranger, scope=scope, id=each) for each in (ids[scope], MISSING[scope])]
    assert (seen[0].status, seen[0]) == (404, seen[1])
    assert without_calls(budgets.app.table("LIMITS_TABLE")) == without_calls(before)


def test_the_platform_s_budget_is_admins(budgets: Budgets, user: str) -> None:
    refused = [
        budgets.put("global", "1", user=user, scopes="execute manage"),
        read(budgets.app, user, "execute manage", scope="global"),
    ]
    assert {(answer.status, answer.code) for answer in refused} == {(403, "forbidden")}
    assert [row["scope"] for row in budgets.all(user, "admin manage")] == ["user", "global"]
    budgets.set("global", "8", user=user, scopes="admin")
    assert budgets.one("global", user=new_user())["daily_usd"] == "8"
    budgets.set("global", user=new_user(), scopes="admin")
    assert budgets.one("global", user=user)["daily_usd"] is None


def test_a_token_that_may_not_manage_sees_and_sets_nothing(budgets: Budgets, user: str) -> None:
    answers = [
        budgets.put("user", "1", user=user, scopes="execute"),
        read(budgets.app, user, "execute"),
        read(budgets.app, user, "execute", scope="user"),
    ]
    assert {answer.status for answer in answers} == {403}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no scope": ({"scope": None}, "scope"),
    "a scope of nobody's": ({"scope": "platform"}, "scope"),
    "no id": ({"scope": "api_key"}, "id"),
    "a null id": ({"scope": "resource", "id": None}, "id"),
    "an id for the user": ({"id": "user_1"}, "id"),
    "an id for all": ({"scope": "global", "id": "all"}, "id"),
    "an empty id": ({"scope": "api_key", "id": ""}, "id"),
    "a long id": ({"scope": "api_key", "id": "k" * 41}, "id"),
    "less than nothing": ({"daily_usd": "-0.01"}, "daily_usd"),
    "too much": ({"monthly_usd": "1000000.01"}, "monthly_usd"),
    "ten decimals": ({"daily_usd": "0.0000000001"}, "daily_usd"),
    "no amount": ({"daily_usd": "much"}, "daily_usd"),
    "not a number": ({"daily_usd": "NaN"}, "daily_usd"),
    "true": ({"daily_usd": True}, "daily_usd"),
    "a field too much": ({"spent_usd": "1"}, "spent_usd"),
}


@pytest.mark.parametrize(("change", "field"), WRONG.values(), ids=WRONG)
def test_what_is_no_budget_is_refused_by_name(budgets: Budgets, user: str, change: dict[str, Any], field: str) -> None:
    body = {"scope": "user", "daily_usd": "1", "monthly_usd": None, **change}
    answer = budgets.app.call("PUT", BUDGETS, body, user=user)
    assert (answer.status, answer.code) == (422, "invalid_field"), answer.text
    assert answer.json["error"]["details"]["field"] == field
    assert stored(budgets.app, user) == []


@pytest.mark.parametrize("name", ["scope", "daily_usd", "monthly_usd"])
def test_nothing_is_left_out_by_mistake(budgets: Budgets, user: str, name: str) -> None:
    body = {"scope": "user", "daily_usd": "1", "monthly_usd": None}
    answer = budgets.app.call("PUT", BUDGETS, {key: body[key] for key in body if key != name}, user=user)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, name)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"scope": "api_key"}, "id"),
        ({"scope": "user", "id": "user_1"}, "id"),
        ({"id": MISSING["api_key"]}, "scope"),
        ({"scope": "platform"}, "scope"),
        ({"scope": "api_key", "id": "k" * 41}, "id"),
        ({"owner": "user_bob"}, "owner"),
    ],
)
def test_a_query_for_nothing_is_refused_by_name(budgets: Budgets, query: dict[str, str], field: str) -> None:
    answer = read(budgets.app, new_user(), **query)
    assert (answer.status, answer.code) == (422, "invalid_field"), answer.text
    assert answer.json["error"]["details"]["field"] == field


def test_so_many_budgets_and_not_one_more(budgets: Budgets, user: str) -> None:
    keys = [own_key(budgets.app, user) for _ in range(MAX_BUDGETS)]
    for key_id in keys[:-1]:
        budgets.set("api_key", "1", user=user, id=key_id)
    budgets.set("user", "1", user=user)
    refused = budgets.put("api_key", "1", user=user, id=keys[-1])
    assert (refused.status, refused.code) == (422, "invalid_field")
    assert f"you have {MAX_BUDGETS} budgets" in refused.json["error"]["message"]
    assert len(budgets.all(user, "manage")) == MAX_BUDGETS
    budgets.set("api_key", "2", user=user, id=keys[0])
    budgets.set("user", user=user)
    budgets.set("api_key", "1", user=user, id=keys[-1])
    assert len(budgets.all(user, "manage")) == MAX_BUDGETS + 1  # and always one's own


def test_the_budget_and_the_list_are_written_together_or_not_at_all(budgets: Budgets, user: str) -> None:
    with faults("TransactWriteItems", failure("AccessDeniedException")):
        assert budgets.put("user", "1", user=user).code == "internal"
    assert stored(budgets.app, user) == []
    with faults("TransactWriteItems", cancelled("None", "TransactionConflict"), lost_answer) as calls:
        budgets.set("user", "1", user=user)
    assert len(calls.bodies) == 3
    assert stored(budgets.app, user) == [f"budget#user#user_{user}", f"budgets-of#user_{user}"]


def own_key(app: App, user: str) -> str:
    body = {"name": "spare", "scopes": ["execute"]}
    return str(app.call("POST", "/api/user/api-keys", body, user=user).json["key_id"])


def read(app: App, user: str, scopes: str = "admin execute manage", **query: str) -> Answer:
    """The answer to asking for budgets."""
    return app.call("GET", BUDGETS, user=user, scopes=scopes, query=query)


def without_calls(rows: list[dict[str, Any]]) -> list[str]:
    """Rows of the limits table that are not counters of calls."""
    return sorted(repr(row) for row in rows if not row["name"]["S"].startswith("calls#"))


def stored(app: App, user: str) -> list[str]:
    """The names of rows about budgets that a user has."""
    rows = [row for row in app.table("LIMITS_TABLE") if row["name"]["S"].endswith(f"#user_{user}")]
    return sorted(row["name"]["S"] for row in rows if set(row) - {"name"})
