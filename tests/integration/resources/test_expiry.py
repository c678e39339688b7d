"""Deleted resources and revoked keys expire with their budgets, later than any execution; live ones never do."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.usage.budgets import DynamoBudgetStore
from instant.domain.clock import expiry_after
from instant.domain.limits import MAX_BUDGETS
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from tests.integration.app import App, deployed_app

DAYS = 10
"""The smallest retention that the template allows."""


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with deployed_app(RetentionDays=str(DAYS)) as opened:
        opened.sync()
        assert opened.connect().status == 201
        yield opened


def rows_of(app: App, table: str, key: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a table by the text of this attribute."""
    return {row[key]["S"]: row for row in app.table(table)}


def expiries(app: App, resource_id: str) -> list[int | None]:
    """Return when the resource, its budget, its totals and its executions expire; None for never."""
    totals = [row for row in app.table("RESOURCE_STATS_TABLE") if row["resource_id"]["S"] == resource_id]
    rows = [
        rows_of(app, "RESOURCES_TABLE", "resource_id")[resource_id],
        rows_of(app, "LIMITS_TABLE", "name")[f"budget#resource#{resource_id}"],
        *(row for row in totals if row["bucket"]["S"].startswith("total#")),
    ]
    return [int(row["expires_at"]["N"]) if "expires_at" in row else None for row in rows]


def set_budget(app: App, resource_id: str, usd: str | None = "5") -> int:
    """Set the budget of a resource and return the status."""
    body = {"scope": "resource", "id": resource_id, "daily_usd": usd, "monthly_usd": None}
    return app.call("PUT", "/api/budgets", body).status


def test_deleted_resource_expires_later_than_its_executions(app: App) -> None:
    resource_id = app.resource(slug="expires")["resource_id"]
    assert set_budget(app, resource_id) == 200
    assert app.execute(resource_id).status == 200
    assert expiries(app, resource_id) == [None] * 3
    assert app.call("DELETE", f"/api/resources/{resource_id}").status == 204
    (deleted,) = set(expiries(app, resource_id))
    row = rows_of(app, "RESOURCES_TABLE", "resource_id")[resource_id]
    assert deleted == expiry_after(row["deleted_at"]["S"], DAYS)
    executions = [row for row in app.table("EXECUTIONS_TABLE") if row["resource_id"]["S"] == resource_id]
    assert all(int(execution["expires_at"]["N"]) + 6 * 86_400 < deleted for execution in executions)


def test_total_that_is_counted_after_the_deletion_expires(app: App) -> None:
    resource_id = app.resource(slug="late")["resource_id"]
    assert app.call("DELETE", f"/api/resources/{resource_id}").status == 204
    totals = [row for row in app.table("RESOURCE_STATS_TABLE") if row["resource_id"]["S"] == resource_id]
    assert len(totals) == 8
    assert all("expires_at" in row for row in totals)


def test_budget_of_a_deleted_resource_cannot_be_set_but_removed(app: App) -> None:
    resource_id = app.resource(slug="capped")["resource_id"]
    assert set_budget(app, resource_id) == 200
    assert app.call("DELETE", f"/api/resources/{resource_id}").status == 204
    assert set_budget(app, resource_id, "6") == 404
    assert set_budget(app, resource_id, None) == 200


def test_budget_that_is_set_during_the_deletion_expires(app: App) -> None:
    """The store is called directly: the route has checked that the resource exists, before it was deleted."""
    resource_id = app.resource(slug="raced")["resource_id"]
    assert app.call("DELETE", f"/api/resources/{resource_id}").status == 204
    budget = Budget(subject=Subject(BudgetScope.RESOURCE, resource_id), daily_nanousd=5)
    DynamoBudgetStore(app.name("LIMITS_TABLE")).put("user_alice", budget)
    row = rows_of(app, "LIMITS_TABLE", "name")[f"budget#resource#{resource_id}"]
    assert (row["daily_nanousd"]["N"], "expires_at" in row) == ("5", True)


def test_budgets_of_users_do_not_expire(app: App) -> None:
    assert app.call("PUT", "/api/budgets", {"scope": "user", "daily_usd": None, "monthly_usd": "5"}).status == 200
    assert "expires_at" not in rows_of(app, "LIMITS_TABLE", "name")["budget#user#user_alice"]


def test_changed_budget_keeps_only_the_given_limits(app: App) -> None:
    for body in ({"daily_usd": "5", "monthly_usd": "9"}, {"daily_usd": None, "monthly_usd": "8"}):
        assert app.call("PUT", "/api/budgets", {"scope": "user", **body}, user="carol").status == 200
    row = rows_of(app, "LIMITS_TABLE", "name")["budget#user#user_carol"]
    assert row == {"name": {"S": "budget#user#user_carol"}, "monthly_nanousd": {"N": "8000000000"}}


def test_expired_budgets_do_not_count_towards_the_maximum(app: App) -> None:
    store = DynamoBudgetStore(app.name("LIMITS_TABLE"))
    subjects = [Subject(BudgetScope.RESOURCE, f"res_{number:03}") for number in range(MAX_BUDGETS + 1)]
    for subject in subjects[:-1]:
        store.put("user_dave", Budget(subject=subject, daily_nanousd=1))
    for subject in subjects[:2]:
        key = {"name": {"S": f"budget#{subject.name}"}}
        aws.client("dynamodb").delete_item(TableName=app.name("LIMITS_TABLE"), Key=key)
    store.put("user_dave", Budget(subject=subjects[-1], daily_nanousd=1))
    assert {budget.subject for budget in store.of_owner("user_dave")} == set(subjects[2:])


def test_revoked_key_expires_with_its_budget(app: App) -> None:
    made = app.call("POST", "/api/user/api-keys", {"name": "k", "scopes": ["execute"]}).json
    key_id = made["key_id"]
    assert app.call("POST", "/api/user/api-keys", {"name": "other", "scopes": ["execute"]}).status == 201
    body = {"scope": "api_key", "id": key_id, "daily_usd": "1", "monthly_usd": None}
    assert app.call("PUT", "/api/budgets", body).status == 200
    for _ in range(2):
        assert app.call("DELETE", f"/api/user/api-keys/{key_id}").status == 204
    keys = rows_of(app, "API_KEYS_TABLE", "key_hash")
    key = keys[keys[f"id#{key_id}"]["target"]["S"]]
    expiry = {"N": str(expiry_after(key["revoked_at"]["S"], DAYS))}
    budget = rows_of(app, "LIMITS_TABLE", "name")[f"budget#api_key#{key_id}"]
    assert [key["purge_at"], keys[f"id#{key_id}"]["purge_at"], budget["expires_at"]] == [expiry] * 3
    assert budget["daily_nanousd"] == {"N": "1000000000"}
    assert app.call("PUT", "/api/budgets", body).status == 404
    assert sum("purge_at" in row for row in keys.values()) == 2
