"""An issuer's keys over HTTP: rotation, outages, floods of unknown key ids, and invalid key sets."""

import json
from collections.abc import Iterator

import pytest

from instant.adapters.access.issuer_keys import FRESH_SECONDS, RETRY_SECONDS, SEARCH_SECONDS, STALE_SECONDS, IssuerKeys
from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import UpstreamUnavailable
from tests.fakes.clock import FakeClock, TickingClock
from tests.fakes.issuer import FAULTS, FakeIssuer, SigningKey

BOTH = ["/.well-known/openid-configuration", "/keys"]


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def upstream() -> Iterator[HttpUpstream]:
    """A client whose deadline passes after as many clock readings as the timeout has seconds."""
    made = HttpUpstream(clock=TickingClock(1))
    yield made
    made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(issuer: FakeIssuer, upstream: HttpUpstream, clock: FakeClock) -> IssuerKeys:
    return IssuerKeys(issuer.url, "", upstream, clock, seconds=60)


def finds(keys: IssuerKeys, key: SigningKey | str) -> bool:
    return bool(keys.find(key, "RS256") if isinstance(key, str) else keys.find(key.kid, key.alg))


def test_issuer_keys_are_fetched_once_per_hour(issuer: FakeIssuer, keys: IssuerKeys, clock: FakeClock) -> None:
    for _ in range(3):
        assert finds(keys, issuer.key)
    clock.pass_seconds(FRESH_SECONDS - 1)
    assert finds(keys, issuer.key)
    assert issuer.asked == BOTH
    clock.pass_seconds(1)
    assert finds(keys, issuer.key)
    assert issuer.asked == BOTH * 2


def test_issuer_keys_with_a_configured_url_need_no_discovery(
    issuer: FakeIssuer, upstream: HttpUpstream, clock: FakeClock
) -> None:
    keys = IssuerKeys("https://unreachable.example", issuer.jwks_url, upstream, clock, seconds=60)
    assert finds(keys, issuer.key)
    assert issuer.asked == ["/keys"]


def test_issuer_keys_refetch_finds_new_keys_and_drops_old_ones(
    issuer: FakeIssuer, keys: IssuerKeys, clock: FakeClock
) -> None:
    old = issuer.key
    assert finds(keys, old)
    new = issuer.rotate()
    issuer.retire(old)
    assert finds(keys, old)
    assert finds(keys, new)
    assert not finds(keys, old)


def test_unknown_key_ids_fetch_at_most_once_per_minute(issuer: FakeIssuer, keys: IssuerKeys, clock: FakeClock) -> None:
    assert finds(keys, issuer.key)
    for number in range(300):
        assert not finds(keys, f"invented-{number}")
    assert issuer.asked == BOTH * 2
    clock.pass_seconds(SEARCH_SECONDS)
    for number in range(300):
        assert not finds(keys, f"invented-{number}")
    assert issuer.asked == BOTH * 3
    assert finds(keys, issuer.key)


@pytest.mark.parametrize("fault", FAULTS)
def test_stale_issuer_keys_are_used_for_a_day_of_outage(
    issuer: FakeIssuer, upstream: HttpUpstream, clock: FakeClock, fault: str
) -> None:
    keys = IssuerKeys(issuer.url, issuer.jwks_url, upstream, clock, seconds=60)
    assert finds(keys, issuer.key)
    issuer.fault = fault
    clock.pass_seconds(FRESH_SECONDS)
    before = len(issuer.asked)
    for _ in range(9):
        assert finds(keys, issuer.key)
    assert len(issuer.asked) == before + 1
    clock.pass_seconds(STALE_SECONDS - FRESH_SECONDS)
    with pytest.raises(UpstreamUnavailable):
        keys.find(issuer.key.kid, issuer.key.alg)
    issuer.fault = None
    clock.pass_seconds(RETRY_SECONDS)
    assert finds(keys, issuer.key)


def test_unknown_key_is_not_found_during_an_outage(issuer: FakeIssuer, keys: IssuerKeys, clock: FakeClock) -> None:
    assert finds(keys, issuer.key)
    issuer.fault = "down"
    for _ in range(9):
        assert not finds(keys, "new")
    assert len(issuer.asked) == len(BOTH) + 1
    assert finds(keys, issuer.key)


def test_missing_issuer_keys_raise_unavailable(issuer: FakeIssuer, keys: IssuerKeys, clock: FakeClock) -> None:
    issuer.fault = "error"
    for _ in range(9):
        with pytest.raises(UpstreamUnavailable):
            keys.find(issuer.key.kid, issuer.key.alg)
    assert len(issuer.asked) == 1
    issuer.fault = None
    clock.pass_seconds(RETRY_SECONDS)
    assert finds(keys, issuer.key)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"issuer": "https://other.example"}, {"issuer": None}, {"jwks_uri": None}, {"jwks_uri": 7}),
        *({"jwks_uri": "http://keys.example/"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": "keys"}),
        {"jwks_uri": "http://somebody@127.0.0.1:PORT/keys"},
    ],
)
def test_discovery_of_a_foreign_url_is_not_followed(
    issuer: FakeIssuer, keys: IssuerKeys, wrong: dict[str, object]
) -> None:
    port = issuer.url.rpartition(":")[2]
    issuer.discovery |= json.loads(json.dumps(wrong).replace("PORT", port))
    with pytest.raises(UpstreamUnavailable):
        keys.find(issuer.key.kid, issuer.key.alg)
    assert issuer.asked == BOTH[:1]


def test_redirects_are_not_followed(issuer: FakeIssuer, keys: IssuerKeys) -> None:
    issuer.fault = "redirect"
    with pytest.raises(UpstreamUnavailable):
        keys.find(issuer.key.kid, issuer.key.alg)
    assert issuer.asked == BOTH[:1]


@pytest.mark.parametrize(
    "change",
    [
        *({"use": "enc"}, {"alg": "HS256"}, {"alg": "PS256"}, {"alg": "ES256"}, {"alg": None}, {"alg": ["RS256"]}),
        *({"kty": "oct", "k": "c2VjcmV0"}, {"kty": "OKP", "crv": "Ed25519"}, {"kty": None}, {"kty": ["RSA"]}),
        *({"kid": None}, {"kid": 7}, {"n": "?"}, {"n": None}, {"e": ""}, {"crv": "P-256"}, {"crv": {}}),
    ],
    ids=str,
)
def test_unsupported_key_types_are_ignored(issuer: FakeIssuer, keys: IssuerKeys, change: dict[str, object]) -> None:
    issuer.extra_keys = [{**issuer.key.jwk(), "kid": "odd", **change}, "text", None, []]
    assert not finds(keys, "odd")
    assert not finds(keys, "7")
    assert finds(keys, issuer.key)


def test_key_without_an_algorithm_allows_those_of_its_type(issuer: FakeIssuer, keys: IssuerKeys) -> None:
    plain = {name: value for name, value in issuer.key.jwk().items() if name not in ("alg", "use")}
    curve = SigningKey.make("curve", "ES384").jwk()
    del curve["alg"]
    issuer.extra_keys = [{**plain, "kid": "plain"}, curve]
    names = ("plain", "curve", issuer.key.kid)
    found = {name: next(iter(keys.find(name, "RS256") or keys.find(name, "ES384")), None) for name in names}
    assert {name: key and key.algorithms for name, key in found.items()} == {
        "plain": ("RS256", "RS384", "RS512"),
        "curve": ("ES384",),
        issuer.key.kid: ("RS256",),
    }
