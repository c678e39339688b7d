"""The tenant isolation matrix: every route of the template, called by everyone who must be rejected."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from instant.domain.access.identity import Scope
from tests.architecture.project import ADDED_METHODS
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer
from tests.integration.app import TEMPLATE, Answer, App, deployed_app
from tests.integration.front import Front
from tests.integration.tenants import Tenant, body_of, create_tenant, key_of, missing, rows_of, target_of
from tests.local.template import Json

type Route = tuple[str, str]

PUBLIC = "public"
"""Public: returns the same with any token or none."""
ID = "id"
"""Names an item: a foreign item returns the same as a missing one."""
OWN = "own"
"""Names no item: returns the caller's own items, or public ones."""

ROUTES: dict[Route, tuple[str, tuple[Scope, ...]]] = {
    ("POST", "/api/execute"): (ID, (Scope.EXECUTE,)),
    ("POST", "/api/execute/stream"): (ID, (Scope.EXECUTE,)),
    ("POST", "/v1/chat/completions"): (ID, (Scope.EXECUTE,)),
    ("POST", "/v1/responses"): (ID, (Scope.EXECUTE,)),
    ("POST", "/v1/embeddings"): (ID, (Scope.EXECUTE,)),
    ("GET", "/v1/models"): (OWN, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/v1/models/{model}"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/v1/models/{model}/{slug}"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/api/executions"): (OWN, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/api/executions/{execution_id}"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/api/executions/{execution_id}/output"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/api/executions/{execution_id}/stream"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("POST", "/api/executions/{execution_id}/cancel"): (ID, (Scope.EXECUTE,)),
    ("GET", "/api/usage"): (OWN, (Scope.READ,)),
    ("GET", "/api/usage/what-if"): (OWN, (Scope.READ,)),
    ("GET", "/api/budgets"): (OWN, (Scope.READ,)),
    ("PUT", "/api/budgets"): (ID, (Scope.MANAGE,)),
    ("GET", "/api/images/{image_id}"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("GET", "/api/resource-types"): (PUBLIC, ()),
    ("GET", "/api/resources"): (OWN, (Scope.EXECUTE, Scope.READ)),
    ("POST", "/api/resources"): (OWN, (Scope.MANAGE,)),
    ("POST", "/api/resources/preview"): (ID, (Scope.READ,)),
    ("GET", "/api/resources/{resource_id}"): (ID, (Scope.EXECUTE, Scope.READ)),
    ("PATCH", "/api/resources/{resource_id}"): (ID, (Scope.MANAGE,)),
    ("DELETE", "/api/resources/{resource_id}"): (ID, (Scope.MANAGE,)),
    ("GET", "/api/user/integrations/{service}"): (OWN, (Scope.READ,)),
    ("POST", "/api/user/integrations/{service}"): (OWN, (Scope.MANAGE,)),
    ("PATCH", "/api/user/integrations/{service}"): (OWN, (Scope.MANAGE,)),
    ("DELETE", "/api/user/integrations/{service}"): (OWN, (Scope.MANAGE,)),
    ("POST", "/api/user/integrations/{service}/test"): (OWN, (Scope.MANAGE,)),
    ("POST", "/api/user/integrations/{service}/connect"): (OWN, (Scope.MANAGE,)),
    ("POST", "/api/user/integrations/{service}/connect/complete"): (OWN, (Scope.MANAGE,)),
    ("GET", "/api/admin/integrations/{service}"): (OWN, (Scope.ADMIN,)),
    ("POST", "/api/admin/integrations/{service}"): (OWN, (Scope.ADMIN,)),
    ("PATCH", "/api/admin/integrations/{service}"): (OWN, (Scope.ADMIN,)),
    ("DELETE", "/api/admin/integrations/{service}"): (OWN, (Scope.ADMIN,)),
    ("POST", "/api/admin/integrations/{service}/test"): (OWN, (Scope.ADMIN,)),
    ("GET", "/api/user/api-keys"): (OWN, (Scope.READ,)),
    ("POST", "/api/user/api-keys"): (OWN, (Scope.MANAGE,)),
    ("DELETE", "/api/user/api-keys/{key_id}"): (ID, (Scope.MANAGE,)),
    ("GET", "/api/models"): (PUBLIC, ()),
    ("GET", "/api/models/{author}/{slug}"): (PUBLIC, ()),
    ("GET", "/api/models/changes"): (PUBLIC, ()),
    ("GET", "/api/models/{author}/{slug}/endpoints"): (PUBLIC, ()),
    ("GET", "/api/models/{author}/{slug}/history"): (PUBLIC, ()),
    ("POST", "/api/models/estimate"): (PUBLIC, ()),
    ("POST", "/api/admin/sync-models"): (OWN, (Scope.ADMIN,)),
    ("GET", "/api/admin/sync-models"): (OWN, (Scope.ADMIN,)),
    ("GET", "/api/openapi.json"): (PUBLIC, ()),
}
"""The kind of access of every route, and the scopes of which one is required."""

EXECUTING = ("/api/execute", "/api/execute/stream")
"""The paths whose bodies name a resource by its id or by its address."""

OPENAI = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
"""The paths whose bodies name a resource as `model`."""

READERS = {Scope.READ, Scope.MANAGE, Scope.ADMIN}
"""The scopes that are or include read."""

PRIVATE = [route for route, (about, _) in ROUTES.items() if about != PUBLIC]
NAMING = [route for route, (about, _) in ROUTES.items() if about == ID]
LISTS = [("GET", "/api/executions"), ("GET", "/api/resources"), ("GET", "/api/user/api-keys")]

STRANGERS = {
    "no token": None,
    "expired": "expired",
    "wrong audience": "for another audience",
    "alg none": "unsigned",
    "alg confused": "signed with the public key",
    "modified claims": "tampered with",
}
"""Unauthenticated callers, with the invalid token of the fake issuer that each sends."""


@dataclass
class Place:
    """An app with a gateway, a token issuer, two tenants, and dora, who owns nothing."""

    app: App
    front: Front
    issuer: FakeIssuer
    alice: Tenant
    bob: Tenant
    dora: Tenant

    def ask(self, route: Route, ids: Mapping[str, str], token: str | None, **body: Any) -> Answer:
        """Send a valid request for the items with these ids; `body` overrides the default body."""
        method, path = route
        usual = body_of(method, path, ids)
        return self.front.ask(method, target_of(path, ids), body or usual, token=token)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with FakeIssuer() as issuer, deployed_app(JwtIssuer=issuer.url, JwtAudience=issuer.audience) as app:
        app.sync()
        alice, bob = create_tenant(app, "alice"), create_tenant(app, "bob")
        app.sync()  # loads the endpoints of their models
        yield Place(app, Front(app), issuer, alice, bob, Tenant("dora"))


def routes_of(template: Json) -> set[Route]:
    """Return the method and path of every API event of a template, except HEAD and OPTIONS."""
    functions = (r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function")
    events = (event for function in functions for event in function["Properties"].get("Events", {}).values())
    routes = {(e["Properties"]["Method"], e["Properties"]["Path"]) for e in events if e["Type"] == "Api"}
    return {route for route in routes if route[0] not in ADDED_METHODS}


def test_isolation_table_has_every_route() -> None:
    assert routes_of(TEMPLATE) == set(ROUTES)


def test_isolation_table_check_detects_a_new_route() -> None:
    changed = deepcopy(TEMPLATE)
    event = {"Type": "Api", "Properties": {"Method": "GET", "Path": "/api/secrets"}}
    changed["Resources"]["ExecuteFunction"]["Properties"]["Events"]["New"] = event
    assert routes_of(changed) - set(ROUTES) == {("GET", "/api/secrets")}


def test_public_routes_match_the_template(place: Place) -> None:
    open_to_all = {(route.method, route.path) for route in place.app.plan.operations if route.authorizer is None}
    assert open_to_all == {route for route, (about, _) in ROUTES.items() if about == PUBLIC}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_private_routes_reject_missing_credentials(place: Place, stranger: str) -> None:
    bad = STRANGERS[stranger]
    token = BAD_TOKENS[bad](place.issuer) if bad else None
    before = rows_of(place.app, place.alice)
    place.app.fake.forget_requests()
    answers = [place.ask(route, place.alice.ids, token) for route in PRIVATE]
    assert {(answer.status, answer.code) for answer in answers} == {(401, "unauthenticated")}
    assert all(answer == answers[0] for answer in answers)
    assert rows_of(place.app, place.alice) == before
    assert place.app.fake.requests == []


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in PRIVATE], ids=" ".join)
def test_public_routes_return_the_same_to_every_caller(place: Place, route: Route) -> None:
    tokens = [None, key_of(place.app, place.bob), "nonsense", BAD_TOKENS["expired"](place.issuer)]
    answers = [place.ask(route, place.alice.ids, token) for token in tokens]
    assert answers[0].status == 200
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("route", PRIVATE, ids=" ".join)
def test_scopes_allow_only_their_routes(place: Place, route: Route) -> None:
    needed = set(ROUTES[route][1])
    for held in ({scope} for scope in Scope):
        answer = place.ask(route, missing(place.alice.ids), key_of(place.app, place.dora, held))
        refused = answer.status == 403 and "This needs the scope" in answer.json["error"]["message"]
        allowed = held & needed or (Scope.READ in needed and held & READERS)
        assert refused == (not allowed), (held, answer.text)
        assert not refused or all(f"'{scope}'" in answer.json["error"]["message"] for scope in needed)


@pytest.mark.parametrize("route", [route for route in PRIVATE if Scope.EXECUTE not in ROUTES[route][1]], ids=" ".join)
def test_missing_scope_prevents_every_change(place: Place, route: Route) -> None:
    needed = set(ROUTES[route][1])
    token = key_of(place.app, place.alice, {Scope.EXECUTE} if Scope.READ in needed else set(Scope) - needed)
    before = rows_of(place.app, place.alice)
    place.app.fake.forget_requests()
    answer = place.ask(route, place.alice.ids, token)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert rows_of(place.app, place.alice) == before
    assert place.app.fake.requests == []


def test_access_token_may_do_all_but_admin_routes(place: Place) -> None:
    token = place.issuer.token("carol")
    for route in PRIVATE:
        answer = place.ask(route, missing(place.alice.ids), token)
        assert (answer.status == 403) == (ROUTES[route][1] == (Scope.ADMIN,)), (route, answer.text)


@pytest.mark.parametrize("kind", ["key", "token"])
@pytest.mark.parametrize("route", NAMING, ids=" ".join)
def test_foreign_item_returns_the_same_as_a_missing_one(place: Place, route: Route, kind: str) -> None:
    token = key_of(place.app, place.bob) if kind == "key" else place.issuer.token("bob")
    nothing, before = missing(place.alice.ids), rows_of(place.app, place.alice)
    place.app.fake.forget_requests()
    for body in bodies(route, place.alice.ids, nothing):
        foreign, absent = (place.ask(route, ids, token, **sent) for ids, sent in body)
        assert (foreign.status, foreign.code) == (404, "model_not_found" if "/v1/" in route[1] else "not_found")
        assert foreign == absent
    assert rows_of(place.app, place.alice) == before
    assert place.app.fake.requests == []


def bodies(route: Route, ids: Mapping[str, str], nothing: Mapping[str, str]) -> Iterator[Any]:
    """Return pairs of requests for a foreign and a missing item: in the path, or in the body by id and by address."""
    inputs = {"inputs": {"prompt": "hello"}}
    if route[1] in EXECUTING:
        yield [(each, {"resource": each["address"], **inputs}) for each in (ids, nothing)]
    if body_of(*route, ids) and route[1] in OPENAI:
        for name in ("resource_id", "address"):
            yield [(each, {**body_of(*route, each), "model": each[name]}) for each in (ids, nothing)]
    elif route == ("PUT", "/api/budgets"):
        for scope, name in (("resource", "resource_id"), ("api_key", "key_id")):
            limits = {"daily_usd": "1", "monthly_usd": None}
            yield [(each, {"scope": scope, "id": each[name], **limits}) for each in (ids, nothing)]
    elif route[1] in (*EXECUTING, "/api/resources/preview"):
        yield [(each, {"resource_id": each["resource_id"], **inputs}) for each in (ids, nothing)]
    else:
        yield [(each, {}) for each in (ids, nothing)]


@pytest.mark.parametrize(
    "route",
    [
        ("PATCH", "/api/resources/{resource_id}"),
        ("DELETE", "/api/resources/{resource_id}"),
        ("POST", "/api/resources/preview"),
    ],
    ids=" ".join,
)
def test_foreign_public_resource_returns_not_found_on_owner_routes(place: Place, route: Route) -> None:
    token, before = key_of(place.app, place.bob), rows_of(place.app, place.alice)
    public = {**place.alice.ids, "resource_id": place.alice.public_id}
    for body in bodies(route, public, missing(public)):
        foreign, absent = (place.ask(route, ids, token, **sent) for ids, sent in body)
        assert (foreign.status, foreign) == (404, absent)
    assert rows_of(place.app, place.alice) == before


@pytest.mark.parametrize("route", LISTS, ids=" ".join)
def test_lists_contain_only_own_items(place: Place, route: Route) -> None:
    bobs = place.ask(route, place.bob.ids, key_of(place.app, place.bob)).text
    assert any(name in bobs for name in place.bob.ids.values())
    assert not any(name in bobs for name in (*place.alice.ids.values(), place.alice.public_id))
    assert place.ask(route, place.alice.ids, place.issuer.token("newcomer")).json["data"] == []


def test_foreign_cursor_returns_no_foreign_items(place: Place) -> None:
    for path in ("/api/executions", "/api/resources"):
        page = place.front.ask("GET", f"{path}?limit=1", token=key_of(place.app, place.alice)).json
        cursor = page["next_cursor"]
        assert cursor
        followed = place.front.ask("GET", f"{path}?limit=200&cursor={cursor}", token=key_of(place.app, place.bob))
        assert not any(name in followed.text for name in (*place.alice.ids.values(), place.alice.public_id))


def test_public_lists_never_contain_private_resources(place: Place) -> None:
    for query in ("", "&q=haiku", "&sort=most_used", "&resource_type=openrouter_instant"):
        token = key_of(place.app, place.bob)
        listed = place.front.ask("GET", f"/api/resources?listing=public&limit=200{query}", token=token)
        ids = [row["resource_id"] for row in listed.json["data"]]
        assert place.alice.public_id in ids
        assert place.alice.ids["resource_id"] not in ids


def test_integrations_are_isolated_between_tenants(place: Place) -> None:
    before, visitor = rows_of(place.app, place.alice), place.issuer.token("visitor")
    integration = "/api/user/integrations/{service}"
    asked: list[Route] = [("GET", integration), ("PATCH", integration), ("DELETE", integration)]
    for route in (*asked, ("POST", f"{integration}/test")):
        answer = place.ask(route, place.alice.ids, visitor)
        assert (answer.status, answer.code) == (404, "not_found")
    for route in (("POST", integration), *asked):
        assert place.ask(route, place.alice.ids, visitor).status < 300
    assert rows_of(place.app, place.alice) == before
