"""GET and PUT /api/budgets: permissions, validation, and the fields that are never returned."""

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
    """A key and a resource of the user, by scope."""
    key = app.call("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}, user=user).json
    return {"api_key": key["key_id"], "resource": created(app, user)["resource_id"]}


def test_get_budget_without_a_limit_returns_no_figures(budgets: Budgets, user: str) -> None:
    (row,) = budgets.all(user, "manage")
    assert set(row) == {"scope", "id", "daily_usd", "monthly_usd", "day", "month"}
    assert [row[name] for name in ("scope", "id", "daily_usd", "monthly_usd")] == ["user", None, None, None]
    for period in (row["day"], row["month"]):
        assert set(period) == {"period", "spent_usd", "reserved_usd", "left_usd", "resets_at"}
        assert [period[name] for name in ("spent_usd", "reserved_usd", "left_usd")] == [None] * 3
    assert budgets.one(user=user) == row


def test_put_budget_returns_what_get_returns(budgets: Budgets, user: str) -> None:
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


def test_put_budget_replaces_both_limits(budgets: Budgets, user: str) -> None:
    budgets.set("user", "5", "50", user=user)
    budgets.set("user", None, "40", user=user)
    row = budgets.one(user=user)
    assert (row["daily_usd"], row["monthly_usd"]) == (None, "40")


def test_delete_budget_is_idempotent(budgets: Budgets, user: str) -> None:
    ids = own(budgets.app, user)
    for scope, more in (("user", {}), ("api_key", {"id": ids["api_key"]})):
        budgets.set(scope, "1", user=user, **more)
        assert budgets.set(scope, user=user, **more) == budgets.set(scope, user=user, **more)
    assert [row["scope"] for row in budgets.all(user, "manage")] == ["user"]
    assert stored(budgets.app, user) == []


@pytest.mark.parametrize("scope", MISSING)
@pytest.mark.parametrize("daily", ["1", None])
def test_budget_of_a_foreign_key_or_resource_returns_not_found(
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


def test_global_budget_requires_the_admin_scope(budgets: Budgets, user: str) -> None:
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


def test_budget_routes_require_the_manage_scope(budgets: Budgets, user: str) -> None:
    answers = [
        budgets.put("user", "1", user=user, scopes="execute"),
        read(budgets.app, user, "execute"),
        read(budgets.app, user, "execute", scope="user"),
    ]
    assert {answer.status for answer in answers} == {403}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no scope": ({"scope": None}, "scope"),
    "an invalid scope": ({"scope": "platform"}, "scope"),
    "no id": ({"scope": "api_key"}, "id"),
    "a null id": ({"scope": "resource", "id": None}, "id"),
    "an id for the user": ({"id": "user_1"}, "id"),
    "an id for all": ({"scope": "global", "id": "all"}, "id"),
    "an empty id": ({"scope": "api_key", "id": ""}, "id"),
    "a long id": ({"scope": "api_key", "id": "k" * 41}, "id"),
    "a negative amount": ({"daily_usd": "-0.01"}, "daily_usd"),
    "above the maximum": ({"monthly_usd": "1000000.01"}, "monthly_usd"),
    "ten decimals": ({"daily_usd": "0.0000000001"}, "daily_usd"),
    "not an amount": ({"daily_usd": "much"}, "daily_usd"),
    "not a number": ({"daily_usd": "NaN"}, "daily_usd"),
    "underscores": ({"daily_usd": "1_000"}, "daily_usd"),
    "digits of another script": ({"daily_usd": "\u0661"}, "daily_usd"),
    "true": ({"daily_usd": True}, "daily_usd"),
    "an unknown field": ({"spent_usd": "1"}, "spent_usd"),
}


@pytest.mark.parametrize(("change", "field"), WRONG.values(), ids=WRONG)
def test_put_budget_rejects_invalid_fields_by_name(
    budgets: Budgets, user: str, change: dict[str, Any], field: str
) -> None:
    body = {"scope": "user", "daily_usd": "1", "monthly_usd": None, **change}
    answer = budgets.app.call("PUT", BUDGETS, body, user=user)
    assert (answer.status, answer.code) == (422, "invalid_field"), answer.text
    assert answer.json["error"]["details"]["field"] == field
    assert stored(budgets.app, user) == []


@pytest.mark.parametrize("name", ["scope", "daily_usd", "monthly_usd"])
def test_put_budget_requires_every_field(budgets: Budgets, user: str, name: str) -> None:
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
def test_get_budget_rejects_invalid_queries_by_name(budgets: Budgets, query: dict[str, str], field: str) -> None:
    answer = read(budgets.app, new_user(), **query)
    assert (answer.status, answer.code) == (422, "invalid_field"), answer.text
    assert answer.json["error"]["details"]["field"] == field


def test_budgets_per_user_are_limited(budgets: Budgets, user: str) -> None:
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
    assert len(budgets.all(user, "manage")) == MAX_BUDGETS + 1  # the user's own budget is always listed


def test_budget_and_list_are_written_in_one_transaction(budgets: Budgets, user: str) -> None:
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


def read(app: App, user: str, scopes: str = "admin execute manage read", **query: str) -> Answer:
    """Request the budgets."""
    return app.call("GET", BUDGETS, user=user, scopes=scopes, query=query)


def without_calls(rows: list[dict[str, Any]]) -> list[str]:
    """Return the rows of the limits table without the call counters."""
    return sorted(repr(row) for row in rows if not row["name"]["S"].startswith("calls#"))


def stored(app: App, user: str) -> list[str]:
    """Return the names of a user's budget rows."""
    rows = [row for row in app.table("LIMITS_TABLE") if row["name"]["S"].endswith(f"#user_{user}")]
    return sorted(row["name"]["S"] for row in rows if set(row) - {"name"})
