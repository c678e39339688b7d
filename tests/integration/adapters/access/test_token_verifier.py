"""Access tokens of a real issuer on loopback: the good ones say who calls, everything else is refused."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.adapters.access.token_verifier import LEEWAY_SECONDS, OidcTokenVerifier
from instant.adapters.clock import SystemClock
from instant.domain.access.token import MAX_LENGTH, TokenClaims
from instant.domain.errors import Unauthenticated, UpstreamUnavailable
from instant.use_cases.access.authorize import authorize
from tests.fakes.clock import FakeClock
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer, SigningKey, jws
from tests.fakes.issuer.signing import encoded


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def verifier(issuer: FakeIssuer) -> OidcTokenVerifier:
    return verifier_of(issuer)


def verifier_of(issuer: FakeIssuer) -> OidcTokenVerifier:
    return OidcTokenVerifier(issuer.url, issuer.audience, "", SystemClock())


def refused(verifier: OidcTokenVerifier, token: str) -> bool:
    """Whether the token is refused, and repeated nowhere."""
    try:
        verifier.verify(token)
    except Unauthenticated as error:
        return token not in str(error.body()) and error.__cause__ is None
    return False


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
def test_a_good_token_says_who_calls(alg: str) -> None:
    with FakeIssuer() as issuer:
        issuer.rotate(alg)
        assert verifier_of(issuer).verify(issuer.token("carol")) == TokenClaims(issuer.url, "carol")


@pytest.mark.parametrize("wrong", BAD_TOKENS)
def test_a_bad_token_is_refused(issuer: FakeIssuer, verifier: OidcTokenVerifier, wrong: str) -> None:
    assert refused(verifier, BAD_TOKENS[wrong](issuer))
    assert not refused(verifier, issuer.token())


def test_keys_come_from_where_the_settings_say(issuer: FakeIssuer) -> None:
    with FakeIssuer() as elsewhere:
        verifier = OidcTokenVerifier(issuer.url, issuer.audience, elsewhere.jwks_url, SystemClock())
        refused(verifier, issuer.token())
        assert [f"{elsewhere.url}{path}" for path in elsewhere.asked] == [elsewhere.jwks_url]


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_clocks_may_differ_by_half_a_minute(issuer: FakeIssuer, verifier: OidcTokenVerifier, claim: str) -> None:
    sign = -1 if claim == "exp" else 1
    near: dict[str, Any] = {claim: int(time.time()) + sign * LEEWAY_SECONDS // 3}
    far: dict[str, Any] = {claim: int(time.time()) + sign * LEEWAY_SECONDS * 3}
    assert not refused(verifier, issuer.token(**near))
    assert refused(verifier, issuer.token(**far))


def test_a_token_needs_no_times_but_its_end(issuer: FakeIssuer, verifier: OidcTokenVerifier) -> None:
    assert not refused(verifier, issuer.token(nbf=None, iat=None))


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
def test_claims(issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: dict[str, Any], good: bool) -> None:
    real = {"ISSUER/": issuer.url + "/"}.get(str(claims.get("iss")), [issuer.url])
    assert refused(verifier, issuer.token(**{**claims, **({"iss": real} if "iss" in claims else {})})) is not good


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
def test_headers(issuer: FakeIssuer, verifier: OidcTokenVerifier, headers: dict[str, Any], good: bool) -> None:
    assert refused(verifier, issuer.token(headers=headers)) is not good


def test_nobody_but_the_issuer_is_asked(issuer: FakeIssuer, verifier: OidcTokenVerifier) -> None:
    """A token that names a place of keys is believed for its signature, and the place is never looked at."""
    with FakeIssuer() as elsewhere:
        places = {"jku": elsewhere.jwks_url, "x5u": elsewhere.url}
        elsewhere.key = SigningKey.make(issuer.key.kid, "ES256")
        assert not refused(verifier, issuer.token(headers=places))
        assert refused(verifier, elsewhere.token(headers=places, iss=issuer.url))
        assert elsewhere.asked == []


def test_a_key_without_a_name_is_not_searched_for() -> None:
    with FakeIssuer() as issuer:
        assert refused(verifier_of(issuer), issuer.token(headers={"kid": None}))
        assert issuer.asked == []


def test_a_weak_key_is_not_trusted() -> None:
    with FakeIssuer() as issuer:
        issuer.key = SigningKey.make("weak", bits=1024)
        issuer.published.append(issuer.key)
        assert refused(verifier_of(issuer), issuer.token())


def test_a_key_s_algorithm_is_its_own_and_not_the_token_s() -> None:
    """Signed well, by the very key, in a way that the key set does not allow it."""
    with FakeIssuer() as issuer:
        other = SigningKey(issuer.key.kid, "RS512", issuer.key.private)
        assert refused(verifier_of(issuer), jws({"alg": "RS512", "kid": other.kid}, issuer.claims(), other.sign))


@pytest.mark.parametrize("claims", [[], "carol", None, 7, {}])
def test_claims_that_are_none_are_refused(issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: Any) -> None:
    assert refused(verifier, jws({"alg": issuer.key.alg, "kid": issuer.key.kid}, claims, issuer.key.sign))


def test_a_token_that_is_too_long_is_not_looked_into(issuer: FakeIssuer) -> None:
    asked = len(issuer.asked)
    assert refused(verifier_of(issuer), issuer.token(padding="x" * MAX_LENGTH))
    assert refused(verifier_of(issuer), "a" * 1_000_000)
    assert len(issuer.asked) == asked


def test_without_the_issuer_nobody_can_tell() -> None:
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
def test_whatever_is_signed_is_read_or_refused(
    issuer: FakeIssuer, verifier: OidcTokenVerifier, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    usual = {"typ": "JWT", "alg": issuer.key.alg, "kid": issuer.key.kid}
    token = jws({**usual, **header}, {**issuer.claims(), **claims}, issuer.key.sign)
    with suppress(Unauthenticated):
        assert verifier.verify(token).user_id.startswith("oidc_")


class Closed:
    """A table that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        """Refuse."""
        raise AssertionError(f"the table was asked: {name}")


@given(st.text(st.characters()))
def test_any_header_is_survived(verifier: OidcTokenVerifier, text: str) -> None:
    for header in (text, f"Bearer {text}", f"Bearer {text}.{text}.{text}", f"Bearer x4k_live_{text}"):
        with pytest.raises(Unauthenticated):
            authorize(header, Closed(), FakeClock(), verifier)


@given(st.binary(), st.binary(), st.binary(min_size=1))
def test_whatever_has_three_parts_is_refused(
    verifier: OidcTokenVerifier, head: bytes, body: bytes, signature: bytes
) -> None:
    assert refused(verifier, ".".join(map(encoded, (head, body, signature))))
