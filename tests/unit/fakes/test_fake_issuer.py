"""FakeIssuer, checked with PyJWT: valid tokens, invalid tokens, and faults."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.fakes.issuer import BAD_TOKENS, FAULTS, FakeIssuer, SigningKey


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeIssuer]:
    with FakeIssuer() as issuer:
        yield issuer


def read(issuer: FakeIssuer, token: str) -> Any:
    """Verify a token with PyJWT and the published key of its key id, and return its claims."""
    assert jwt.get_unverified_header(token)["alg"] == issuer.key.alg
    published = httpx.get(issuer.jwks_url, trust_env=False).json()
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(published)}
    return jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        audience=issuer.audience,
        issuer=issuer.url,
        options={"require": ["exp", "iss", "sub", "aud"]},
    )


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
def test_fake_issuer_returns_a_valid_token(alg: str) -> None:
    with FakeIssuer() as issuer:
        issuer.rotate(alg)
        claims = read(issuer, issuer.token("carol", role="tester"))
    assert (claims["sub"], claims["role"], claims["iss"]) == ("carol", "tester", issuer.url)
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("wrong", BAD_TOKENS)
def test_bad_tokens_fail_verification(shared: FakeIssuer, wrong: str) -> None:
    with pytest.raises((jwt.InvalidTokenError, KeyError, AssertionError)):
        read(shared, BAD_TOKENS[wrong](shared))


def test_fake_issuer_does_not_publish_a_retired_key() -> None:
    with FakeIssuer() as issuer:
        first, second = issuer.key, issuer.rotate()
        issuer.retire(first)
        published = httpx.get(issuer.jwks_url, trust_env=False).json()["keys"]
    assert [key["kid"] for key in published] == [second.kid]
    assert all("d" not in key for key in published)


def test_fake_issuer_discovery_returns_the_keys(shared: FakeIssuer) -> None:
    found = httpx.get(shared.url + "/.well-known/openid-configuration", trust_env=False).json()
    assert found == {"issuer": shared.url, "jwks_uri": shared.jwks_url}
    assert httpx.get(shared.url + "/nothing", trust_env=False).status_code == 404
    assert shared.asked[-1] == "/nothing"


@pytest.mark.parametrize("fault", FAULTS)
def test_fake_issuer_fault_breaks_every_response(fault: str) -> None:
    with FakeIssuer() as issuer, httpx.Client(trust_env=False) as client:
        issuer.fault = fault
        assert is_faulty(client, issuer.jwks_url)
        issuer.fault = None
        assert not is_faulty(client, issuer.jwks_url)


def is_faulty(client: httpx.Client, url: str) -> bool:
    """Whether the response is not a complete key set."""
    try:
        with client.stream("GET", url) as reply:
            body = b"".join(itertools.islice(reply.iter_raw(), 20))
            return reply.status_code != 200 or not body.rstrip().endswith(b'"}]}')
    except httpx.TransportError:
        return True


def test_fake_issuer_rejects_an_unknown_fault(shared: FakeIssuer) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        shared.fault = "sulks"


def test_signing_key_has_the_requested_size() -> None:
    private = SigningKey.make("small", bits=1024).private
    assert isinstance(private, RSAPrivateKey)
    assert private.key_size == 1024
