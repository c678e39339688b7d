"""What a caller cannot learn: unlisted resources by their address, and the length of a hidden prompt by its cost."""

from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.budgets import Budgets
from tests.integration.front import Front
from tests.integration.tenants import Tenant, key_of

SHORT, LONG = "Be brief.", "Be brief. " * 500


def _by_address(app: App, address: str, user: str) -> Answer:
    body = {"resource": address, "inputs": {"prompt": "Say hello."}}
    return app.call("POST", "/api/execute", body, user=user)


@pytest.mark.parametrize(("visibility", "by_address"), [("private", 404), ("unlisted", 404), ("public", 200)])
def test_address_opens_public_and_own_resources(seeded: App, visibility: str, by_address: int) -> None:
    made = seeded.resource(visibility=visibility)
    seeded.connect("bob")
    assert _by_address(seeded, made["address"], "alice").status == 200
    answer = _by_address(seeded, made["address"], "bob")
    assert answer.status == by_address
    if by_address == 404:
        assert answer == _by_address(seeded, made["address"] + "0", "bob")
    assert seeded.execute(made["resource_id"], user="bob").status == (404 if visibility == "private" else 200)


def _public(app: App, prompt: str) -> str:
    return str(app.resource(visibility="public", config={"system_prompt": prompt})["resource_id"])


def _refused(app: App, resource_id: str, **caller: Any) -> dict[str, Any]:
    body = {"resource_id": resource_id, "inputs": {"prompt": "Say hello."}}
    answer = app.call("POST", "/api/execute", body, **caller)
    assert (answer.status, answer.code) == (409, "cost_cap")
    return dict(answer.json["error"])


@pytest.mark.parametrize("caller", [{"user": "bob"}, {"scopes": "execute", "key_id": "key_one"}], ids=str)
def test_cost_cap_does_not_reveal_the_length_of_a_hidden_prompt(seeded: App, caller: dict[str, Any]) -> None:
    seeded.connect("bob")
    for user in ("alice", "bob"):
        path = "/api/user/integrations/openrouter"
        seeded.call("PATCH", path, {"max_cost_per_call_usd": "0.000000001"}, user=user)
    short, long = (_refused(seeded, _public(seeded, prompt), **caller) for prompt in (SHORT, LONG))
    assert short == long
    assert short["details"] == {"max_cost_per_call_usd": "0.000000001"}
    own = [_refused(seeded, _public(seeded, prompt))["details"]["worst_case_usd"] for prompt in (SHORT, LONG)]
    assert float(own[0]) < float(own[1])


@pytest.mark.parametrize("scope", ["user", "resource", "global"])
def test_budget_of_another_does_not_reveal_the_cost(seeded: App, scope: str) -> None:
    seeded.connect("bob")
    found, budgets = [], Budgets(seeded)
    for prompt in (SHORT, LONG):
        resource_id = _public(seeded, prompt)
        more = {"id": resource_id} if scope == "resource" else {}
        budgets.set(scope, "0.000000008", user="bob" if scope == "user" else "alice", **more)
        found.append(_refused(seeded, resource_id, user="bob"))
    assert found[0] == found[1]
    assert found[0]["details"].keys() == {"scope", "period"}


def test_global_budget_is_not_compared_with_an_amount(seeded: App) -> None:
    Budgets(seeded).set("global", "0.000000008")
    assert "USD" not in _refused(seeded, _public(seeded, SHORT))["message"]


def test_several_authorization_headers_are_rejected(seeded: App) -> None:
    front, alice, bob = Front(seeded), *(key_of(seeded, Tenant(user)) for user in ("alice", "bob"))
    assert front.ask("GET", "/api/resources", token=alice).status == 200
    for name in ("Authorization", "authorization"):
        for second in (f"Bearer {bob}", f"Bearer {alice}", "Bearer nonsense", ""):
            answer = front.ask("GET", "/api/resources", token=alice, repeated=[(name, second)])
            assert (answer.status, answer.code) == (401, "unauthenticated")
    assert front.ask("GET", "/api/models", token=alice, repeated=[("Authorization", "Bearer x")]).status == 200


def test_function_rejects_several_authorization_headers_of_a_cached_caller(seeded: App) -> None:
    """API Gateway does not ask the authorizer again for a value that it has seen."""
    event = {
        "httpMethod": "GET",
        "resource": "/api/resources",
        "path": "/api/resources",
        "headers": {"Authorization": "Bearer b"},
        "multiValueHeaders": {"Authorization": ["Bearer a", "Bearer b"]},
        "requestContext": {"authorizer": {"user_id": "user_alice", "scopes": "read", "key_id": ""}},
    }
    assert seeded.invoke("ResourcesFunction", event)["statusCode"] == 401
