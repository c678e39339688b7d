"""The authorizer: it accepts only valid API keys, and its policy covers the whole stage."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.clock import format_time
from tests.fakes.aws_faults import failure, faults
from tests.fakes.issuer import FakeIssuer
from tests.integration.app import ROOT, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.front import Front
from tests.integration.synced_app import deployed_synced_app
from tests.local.api.server import Request
from tests.local.aws.actions import read_call
from tests.local.aws.permissions import Permissions

NOW = datetime.now(UTC)
API = "arn:aws:execute-api:us-east-1:123456789012:abc123"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def _key(app: App, *scopes: Scope, expires_at: str | None = None, revoked_at: datetime | None = None) -> str:
    """Return a key of alice."""
    store = DynamoApiKeyStore(app.name("API_KEYS_TABLE"))
    wanted = frozenset(scopes or {Scope.EXECUTE})
    secret, key = mint(user_id="user_alice", name="test", scopes=wanted, now=NOW, expires_at=expires_at)
    store.put(key)
    if revoked_at:
        store.revoke(key, format_time(revoked_at))
    return secret.reveal()


def _authorize(app: App, headers: dict[str, str] | None, method_arn: str | None = None) -> dict[str, Any]:
    event = json.loads((ROOT / "events" / "authorizer" / "request.json").read_text())
    changes = {"headers": headers, "methodArn": method_arn or event["methodArn"]}
    return dict(app.invoke("AuthorizerFunction", {**event, **changes}))


def _refused(app: App, headers: dict[str, str] | None) -> list[str]:
    """Return the DynamoDB operations before the rejection."""
    with recorded("dynamodb") as calls, pytest.raises(Exception, match=r"^Unauthorized$") as caught:
        _authorize(app, headers)
    assert caught.value.__cause__ is None
    return operations(calls)


def test_authorizer_returns_the_user_and_scopes_of_a_valid_key(shared: App) -> None:
    key = _key(shared, Scope.MANAGE, Scope.EXECUTE)
    with recorded("dynamodb") as calls:
        answer = _authorize(shared, {"Authorization": f"Bearer {key}"})
    assert answer["principalId"] == "user_alice"
    assert answer["context"].pop("key_id").startswith("key_")
    assert answer["context"] == {"user_id": "user_alice", "scopes": "execute manage read", "namespace": "user_alice"}
    assert key not in json.dumps(answer)
    assert operations(calls) == ["GetItem", "UpdateItem"]
    assert calls[0].parameters["ConsistentRead"] is True


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
@pytest.mark.parametrize("value", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
def test_authorizer_ignores_case_of_header_names_and_schemes(shared: App, name: str, value: str) -> None:
    answer = _authorize(shared, {"Host": "x", name: value.format(_key(shared))})
    assert answer["context"]["user_id"] == "user_alice"


def test_authorizer_accepts_a_key_until_it_expires(shared: App) -> None:
    later, earlier = format_time(NOW + timedelta(hours=1)), format_time(NOW - timedelta(seconds=1))
    answer = _authorize(shared, {"Authorization": f"Bearer {_key(shared, expires_at=later)}"})
    assert answer["context"]["expires_at"] == later
    assert _refused(shared, {"Authorization": f"Bearer {_key(shared, expires_at=earlier)}"}) == ["GetItem"]


def test_authorizer_rejects_a_revoked_key(shared: App) -> None:
    assert _refused(shared, {"Authorization": f"Bearer {_key(shared, revoked_at=NOW)}"}) == ["GetItem"]
    forever = format_time(NOW + timedelta(days=1))
    assert _refused(shared, {"Authorization": f"Bearer {_key(shared, expires_at=forever, revoked_at=NOW)}"})


def test_authorizer_rejects_a_key_its_user_revoked(shared: App) -> None:
    body = {"name": "laptop", "scopes": ["execute"]}
    made = shared.call("POST", "/api/user/api-keys", body).json
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    key_id = made["key_id"]
    expected = {"user_id": "user_alice", "scopes": "execute", "key_id": key_id, "namespace": key_id}
    assert _authorize(shared, headers)["context"] == expected
    listed = shared.call("GET", "/api/user/api-keys").json["data"]
    (used_at,) = (key["last_used_at"] for key in listed if key["key_id"] == made["key_id"])
    assert made["created_at"][:10] <= used_at[:10]
    assert used_at.endswith(":00:00.000000Z")
    assert shared.call("DELETE", f"/api/user/api-keys/{made['key_id']}").status == 204
    _refused(shared, headers)


def test_authorizer_may_only_update_the_last_use_of_a_key(shared: App) -> None:
    permissions = Permissions({"A": shared.plan.functions["AuthorizerFunction"].statements})

    def may(expression: str, **names: str) -> bool:
        update = {
            "TableName": shared.name("API_KEYS_TABLE"),
            "Key": {"key_hash": {"S": "0" * 64}},
            "ExpressionAttributeNames": {f"#{place}": name for place, name in names.items()},
            "UpdateExpression": expression,
        }
        target = [("X-Amz-Target", "DynamoDB_20120810.UpdateItem")]
        call = read_call(Request("POST", "/", target, json.dumps(update).encode()))
        return permissions.denial("A", call) is None

    assert may("SET #a = :a", a="last_used_at")
    assert may("SET last_used_at = if_not_exists(last_used_at, :a)")
    assert not may("SET #a = :a, #b = :b", a="last_used_at", b="scopes")
    assert not may("REMOVE #a", a="revoked_at")
    assert not may("REMOVE revoked_at")


def test_authorizer_rejects_an_unknown_key_after_one_read(shared: App) -> None:
    secret, _ = mint(user_id="user_alice", name="test", scopes=frozenset({Scope.ADMIN}), now=NOW)
    assert _refused(shared, {"Authorization": f"Bearer {secret.reveal()}"}) == ["GetItem"]


def test_authorizer_rejects_a_typo_without_a_table_read(shared: App) -> None:
    key = _key(shared)
    for place in range(9, len(key)):
        typo = key[:place] + ("a" if key[place] != "a" else "b") + key[place + 1 :]
        assert _refused(shared, {"Authorization": f"Bearer {typo}"}) == []
    swapped = next(n for n in range(9, len(key)) if key[n] != key[n - 1])
    turned = key[: swapped - 1] + key[swapped] + key[swapped - 1] + key[swapped + 1 :]
    assert _refused(shared, {"Authorization": f"Bearer {turned}"}) == []


def test_authorizer_rejects_tokens_without_an_issuer(shared: App) -> None:
    with FakeIssuer() as issuer:
        assert _refused(shared, {"Authorization": f"Bearer {issuer.token()}"}) == []
        assert issuer.asked == []


@pytest.mark.parametrize("headers", [None, {}, {"Host": "x"}, {"Authorization": ""}, {"X-Api-Key": "{}"}])
def test_authorizer_rejects_a_missing_header(shared: App, headers: dict[str, str] | None) -> None:
    filled = headers and {name: value.format(_key(shared)) for name, value in headers.items()}
    assert _refused(shared, filled) == []


@pytest.mark.parametrize(
    "value",
    [
        *("{}", "Basic {}", "Token {}", "Bearer", "Bearer ", "Bearer {} {}", "Bearer {}x", "Bearer x{}", "Bearer{}"),
        *("Bearer {},Bearer {}", 'Bearer "{}"', "Bearer {}\0", "Bearer {}\nX: y", "Bearer null", "Bearer \ud800"),
        *("ÿ" * 9, *(f"Bearer x4k_live_{letter * 38}" for letter in "0é٣")),
    ],
    ids=range(19),
)
def test_authorizer_rejects_malformed_headers_without_a_table_read(shared: App, value: str) -> None:
    assert _refused(shared, {"Authorization": value.replace("{}", _key(shared))}) == []


@pytest.mark.parametrize(
    "value", ["Bearer {}" + "0" * 1_000_000, "{}" * 50_000, " " * 1_000_000 + "x", "Bearer " * 9], ids=range(4)
)
def test_authorizer_rejects_a_huge_header(shared: App, value: str) -> None:
    assert _refused(shared, {"Authorization": value.replace("{}", _key(shared))}) == []


def test_failed_authorizer_is_a_retryable_503_for_the_caller(shared: App) -> None:
    key = _key(shared, *Scope)
    with faults("GetItem", failure("ValidationException")):
        answer = Front(shared).ask("GET", "/api/resources", token=key)
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (503, "upstream_unavailable", True)
    assert answer.headers["Retry-After"] == "1"
    assert Front(shared).ask("GET", "/api/resources", token=key).status == 200


def test_authorizer_policy_covers_every_route_of_its_stage_only(shared: App) -> None:
    headers = {"Authorization": f"Bearer {_key(shared)}"}
    policies = [
        _authorize(shared, headers, f"{API}/prod/{route.method}{re.sub('{.*?}', 'x', route.path)}")["policyDocument"]
        for route in shared.plan.operations
    ]
    assert all(policy == policies[0] for policy in policies)
    (statement,) = policies[0]["Statement"]
    assert policies[0]["Version"] == "2012-10-17"
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    for route in shared.plan.operations:
        assert fnmatchcase(f"{API}/prod/{route.method}{route.path}", statement["Resource"])
    for elsewhere in (f"{API}/dev/GET/api/resources", f"{API}9/prod/GET/api/resources"):
        assert not fnmatchcase(elsewhere, statement["Resource"])


def test_only_catalog_and_types_routes_are_public(shared: App) -> None:
    is_open = {(route.method, route.path) for route in shared.plan.operations if route.authorizer is None}
    known = {("GET", "/api/models"), ("GET", "/api/models/{author}/{slug}"), ("GET", "/api/resource-types")}
    history = {("GET", "/api/models/changes"), ("GET", "/api/models/{author}/{slug}/history")}
    history.add(("GET", "/api/models/{author}/{slug}/endpoints"))
    estimate = {("POST", "/api/models/estimate")}
    assert is_open - {("GET", "/api/openapi.json")} == known | history | estimate
