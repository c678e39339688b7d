"""Access tokens on the built artifacts: the layer contains the verifier, and HTTP requests accept them."""

from collections.abc import Iterator

import pytest

from tests.e2e.world import World, open_world
from tests.fakes.issuer import FakeIssuer
from tests.local.functions.layout import Built

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def token_world(built: Built, issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack that accepts tokens of the issuer; root is an admin."""
    parameters = {"JwtIssuer": issuer.url, "JwtAudience": issuer.audience, "JwtAdmins": "root"}
    with open_world(built, tmp_path_factory.mktemp("tokens") / "log", parameters=parameters) as opened:
        yield opened


def test_access_token_authenticates_its_user_and_rejects_bad_tokens(token_world: World, issuer: FakeIssuer) -> None:
    token_world.keys |= {"carol": issuer.token("carol"), "root": issuer.token("root"), "late": issuer.token(exp=1)}
    made = token_world.done(201, "carol", "POST", "/api/user/api-keys", {"name": "ci", "scopes": ["manage"]})
    token_world.keys["carol's key"] = made["api_key"]
    lists = [token_world.done(200, user, "GET", "/api/user/api-keys")["data"] for user in ("carol", "carol's key")]
    assert [[key["key_id"] for key in listed] for listed in lists] == [[made["key_id"]]] * 2
    assert [listed[0]["last_used_at"] is not None for listed in lists] == [False, True]
    token_world.done(401, "late", "GET", "/api/user/api-keys")
    token_world.done(403, "carol", "POST", "/api/admin/sync-models")
    token_world.done(202, "root", "POST", "/api/admin/sync-models")
    token_world.stack.settle()


def test_access_token_and_subject_are_not_stored_or_logged(token_world: World, issuer: FakeIssuer) -> None:
    token = issuer.token("dora@mail.example")
    headers = {"Authorization": f"Bearer {token}"}
    assert (
        token_world.call(None, "POST", "/api/user/api-keys", {"name": "ci", "scopes": ["manage"]}, **headers).status
        == 201
    )
    places = {"the log": token_world.log.read_bytes(), **token_world.stored()}
    secrets = [b"dora@mail.example", *(part.encode() for part in token.split(".")[1:])]
    assert [place for place, content in places.items() if any(secret in content for secret in secrets)] == []
