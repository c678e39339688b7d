"""Access tokens of an issuer on loopback: valid tokens identify the caller, all others are rejected."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.adapters.access.issuer_keys import MAX_TRIED, SEARCH_SECONDS
from instant.adapters.access.token_verifier import LEEWAY_SECONDS, OidcTokenVerifier
from instant.adapters.clock import SystemClock
from instant.domain.access.token import MAX_LENGTH, TokenClaims
from instant.domain.errors import Unauthenticated, UpstreamUnavailable
from instant.use_cases.access.authorize import authorize
from tests.fakes.clock import FakeClock
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer, SigningKey, jws
from tests.fakes.issuer.signing import encoded
from tests.timeouts import HANG_SECONDS


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def verifier(issuer: FakeIssuer) -> OidcTokenVerifier:
    return verifier_of(issuer)


def verifier_of(issuer: FakeIssuer) -> OidcTokenVerifier:
    return OidcTokenVerifier(issuer.url, issuer.audience, "", SystemClock(), HANG_SECONDS)


def rejected(verifier: OidcTokenVerifier, token: str) -> bool:
    """Return whether the token is rejected and not echoed."""
    try:
        verifier.verify(token)
    except Unauthenticated as error:
        return token not in str(error.body()) and error.__cause__ is None
    return False


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "Ed25519", "Ed448"])
def test_verifier_returns_the_caller_of_a_valid_token(alg: str) -> None:
    with FakeIssuer() as issuer:
        issuer.rotate(alg)
        assert verifier_of(issuer).verify(issuer.token("carol")) == TokenClaims(issuer.url, "carol")


@pytest.mark.parametrize("wrong", BAD_TOKENS)
def test_verifier_rejects_a_bad_token(issuer: FakeIssuer, verifier: OidcTokenVerifier, wrong: str) -> None:
    assert rejected(verifier, BAD_TOKENS[wrong](issuer))
    assert not rejected(verifier, issuer.token())


def test_verifier_fetches_keys_from_the_configured_url(issuer: FakeIssuer) -> None:
    with FakeIssuer() as elsewhere:
        verifier = OidcTokenVerifier(issuer.url, issuer.audience, elsewhere.jwks_url, SystemClock(), HANG_SECONDS)
        rejected(verifier, issuer.token())
        assert [f"{elsewhere.url}{path}" for path in elsewhere.asked] == [elsewhere.jwks_url]


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_verifier_tolerates_half_a_minute_of_clock_skew(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, claim: str
) -> None:
    sign = -1 if claim == "exp" else 1
    near: dict[str, Any] = {claim: int(time.time()) + sign * LEEWAY_SECONDS // 3}
    far: dict[str, Any] = {claim: int(time.time()) + sign * LEEWAY_SECONDS * 3}
    assert not rejected(verifier, issuer.token(**near))
    assert rejected(verifier, issuer.token(**far))


def test_verifier_does_not_require_nbf_or_iat(issuer: FakeIssuer, verifier: OidcTokenVerifier) -> None:
    assert not rejected(verifier, issuer.token(nbf=None, iat=None))


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"aud": ["https://other.example", "instant-resources"]}, True),
        ({"aud": None, "client_id": "instant-resources", "token_use": "access"}, True),
        ({"aud": "other", "client_id": "instant-resources"}, False),
        ({"token_use": "id"}, False),
        ({"iss": "ISSUER/"}, False),
        ({"iss": ["ISSUER"]}, False),
        ({"sub": 7}, False),
        ({"sub": ""}, False),
        ({"sub": "\ud800"}, False),
        ({"exp": "soon"}, False),
        ({"exp": float("inf")}, False),
        ({"exp": float("nan")}, False),
        ({"exp": [9999999999]}, False),
        ({"nbf": {}}, False),
    ],
    ids=str,
)
def test_verifier_validates_claims(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: dict[str, Any], good: bool
) -> None:
    real = {"ISSUER/": issuer.url + "/"}.get(str(claims.get("iss")), [issuer.url])
    assert rejected(verifier, issuer.token(**{**claims, **({"iss": real} if "iss" in claims else {})})) is not good


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({"typ": None}, True),
        ({"typ": "at+jwt"}, True),
        ({"typ": "application/AT+JWT"}, True),
        ({"typ": "logout+jwt"}, False),
        ({"typ": ["JWT"]}, False),
        ({"kid": 7}, False),
        ({"kid": ["first"]}, False),
        ({"kid": "../first"}, False),
        ({"crit": []}, False),
        ({"crit": ["b64"], "b64": True}, False),
        ({"b64": False}, False),
        ({"alg": "RS384"}, False),
        ({"alg": "PS256"}, False),
        ({"alg": "rs256"}, False),
        ({"alg": "ES256"}, False),
        ({"alg": "None"}, False),
        ({"alg": ""}, False),
        ({"alg": None}, False),
        ({"alg": ["RS256"]}, False),
        ({"jku": "https://evil.example/keys", "x5u": "https://evil.example/", "x5c": ["AA"]}, True),
    ],
    ids=str,
)
def test_verifier_validates_headers(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, headers: dict[str, Any], good: bool
) -> None:
    assert rejected(verifier, issuer.token(headers=headers)) is not good


def test_verifier_ignores_key_urls_in_the_token(issuer: FakeIssuer, verifier: OidcTokenVerifier) -> None:
    """The signature is verified, and the key URL is never fetched."""
    with FakeIssuer() as elsewhere:
        key_urls = {"jku": elsewhere.jwks_url, "x5u": elsewhere.url}
        elsewhere.key = SigningKey.make(issuer.key.kid, "ES256")
        assert not rejected(verifier, issuer.token(headers=key_urls))
        assert rejected(verifier, elsewhere.token(headers=key_urls, iss=issuer.url))
        assert elsewhere.asked == []


NO_ID = {"kid": None}


def unnamed(key: SigningKey) -> dict[str, str]:
    """Return the public key without its id."""
    return {name: value for name, value in key.jwk().items() if name != "kid"}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
@pytest.mark.parametrize("has_id", [True, False])
def test_verifier_accepts_a_token_without_key_id(alg: str, has_id: bool) -> None:
    """The `kid` is optional in a token (RFC 7515) and in a key set (RFC 7517)."""
    with FakeIssuer() as issuer:
        issuer.rotate(alg)
        if not has_id:
            issuer.published, issuer.extra_keys = [], [unnamed(issuer.key)]
        verifier = verifier_of(issuer)
        assert not rejected(verifier, issuer.token(headers=NO_ID))
        assert rejected(verifier, BAD_TOKENS["signed with a foreign key without an id"](issuer))
        assert rejected(verifier, BAD_TOKENS["signed with the public key"](issuer))


def test_verifier_tries_every_key_without_id() -> None:
    with FakeIssuer() as issuer:
        keys = [SigningKey.make(f"key-{number}", "ES256") for number in range(3)]
        issuer.published, issuer.extra_keys = [], [unnamed(key) for key in keys]
        for issuer.key in keys:
            assert not rejected(verifier_of(issuer), issuer.token())
            assert not rejected(verifier_of(issuer), issuer.token(headers=NO_ID))


def test_verifier_uses_only_the_named_key_of_a_token() -> None:
    with FakeIssuer() as issuer:
        first, second = issuer.key, issuer.rotate("RS256")
        issuer.key = SigningKey(first.kid, "RS256", second.private)
        assert rejected(verifier_of(issuer), issuer.token())


def test_verifier_tries_a_limited_number_of_keys() -> None:
    with FakeIssuer() as issuer:
        issuer.published, last = [], issuer.key
        others = [SigningKey.make(f"key-{number}", "ES256") for number in range(MAX_TRIED)]
        issuer.extra_keys = [unnamed(key) for key in (*others, SigningKey.make("last", "ES256"))]
        issuer.key = others[-1]
        assert not rejected(verifier_of(issuer), issuer.token(headers=NO_ID))
        issuer.extra_keys = [*issuer.extra_keys[1:], unnamed(others[0]), unnamed(last)]
        issuer.key = others[0]
        assert rejected(verifier_of(issuer), issuer.token(headers=NO_ID))


def test_verifier_finds_a_replaced_key_without_id() -> None:
    with FakeIssuer() as issuer:
        issuer.published, issuer.extra_keys = [], [unnamed(issuer.key)]
        clock = FakeClock()
        verifier = OidcTokenVerifier(issuer.url, issuer.audience, "", clock, HANG_SECONDS)
        assert not rejected(verifier, issuer.token(headers=NO_ID))
        issuer.key = SigningKey.make("next", "ES256")
        issuer.extra_keys = [unnamed(issuer.key)]
        clock.pass_seconds(SEARCH_SECONDS)
        assert not rejected(verifier, issuer.token(headers=NO_ID))
        asked = len(issuer.asked)
        assert rejected(verifier, BAD_TOKENS["signed with a foreign key without an id"](issuer))
        assert len(issuer.asked) == asked


@pytest.mark.parametrize("alg", ["HS256", "none", "PS256", "Ed25519"])
def test_verifier_does_not_fetch_for_an_unsupported_algorithm(alg: str) -> None:
    with FakeIssuer() as issuer:
        assert rejected(verifier_of(issuer), issuer.token(headers={"alg": alg, **NO_ID}))
        assert issuer.asked == []


def test_verifier_rejects_a_weak_key() -> None:
    with FakeIssuer() as issuer:
        issuer.key = SigningKey.make("weak", bits=1024)
        issuer.published.append(issuer.key)
        assert rejected(verifier_of(issuer), issuer.token())


def test_verifier_uses_the_algorithm_of_the_key() -> None:
    """A valid signature of the key with an algorithm that the key set does not allow."""
    with FakeIssuer() as issuer:
        other = SigningKey(issuer.key.kid, "RS512", issuer.key.private)
        assert rejected(verifier_of(issuer), jws({"alg": "RS512", "kid": other.kid}, issuer.claims(), other.sign))


@pytest.mark.parametrize("claims", [[], "carol", None, 7, {}])
def test_verifier_rejects_claims_that_are_no_object(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: Any
) -> None:
    assert rejected(verifier, jws({"alg": issuer.key.alg, "kid": issuer.key.kid}, claims, issuer.key.sign))


def test_verifier_rejects_an_oversized_token(issuer: FakeIssuer) -> None:
    asked = len(issuer.asked)
    assert rejected(verifier_of(issuer), issuer.token(padding="x" * MAX_LENGTH))
    assert rejected(verifier_of(issuer), "a" * 1_000_000)
    assert len(issuer.asked) == asked


def test_verifier_raises_unavailable_without_the_issuer() -> None:
    with FakeIssuer() as issuer:
        token = issuer.token()
    with pytest.raises(UpstreamUnavailable):
        verifier_of(issuer).verify(token)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "token_use"])
HEADERS = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "cty", "zip", "enc"])


@given(st.dictionaries(NAMES, JSON, max_size=3), st.dictionaries(HEADERS, JSON, max_size=2))
def test_verifier_handles_any_signed_claims(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    usual = {"typ": "JWT", "alg": issuer.key.alg, "kid": issuer.key.kid}
    token = jws({**usual, **header}, {**issuer.claims(), **claims}, issuer.key.sign)
    with suppress(Unauthenticated):
        assert verifier.verify(token).user_id.startswith("oidc_")


class Closed:
    """A table that must not be read."""

    def __getattr__(self, name: str) -> Any:
        """Fail on any access."""
        raise AssertionError(f"the table was asked: {name}")


@given(st.text(st.characters()))
def test_verifier_handles_any_header(verifier: OidcTokenVerifier, text: str) -> None:
    for header in (text, f"Bearer {text}", f"Bearer {text}.{text}.{text}", f"Bearer x4k_live_{text}"):
        with pytest.raises(Unauthenticated):
            authorize(header, Closed(), FakeClock(), verifier)


@given(st.binary(), st.binary(), st.binary(min_size=1))
def test_verifier_rejects_any_three_part_string(
    verifier: OidcTokenVerifier, head: bytes, body: bytes, signature: bytes
) -> None:
    assert rejected(verifier, ".".join(map(encoded, (head, body, signature))))
