"""A connection starts with fresh secrets, and only a challenge of them is in the address."""

from urllib.parse import parse_qs, urlsplit

import pytest

from instant.domain.access.callback import places
from instant.domain.access.identity import Identity, Scope
from instant.domain.access.integration import AuthorizationRequest
from instant.domain.errors import InvalidField
from instant.use_cases.access.connect import ConnectSettings, begin_connecting, challenge_of

PLACE = "https://good.example/callback"
CALLER = Identity("user_alice", frozenset({Scope.MANAGE}))


def begin(callback_url: str | None = PLACE, listed: str = PLACE, **pages: str) -> AuthorizationRequest:
    return begin_connecting("openrouter", callback_url, CALLER, ConnectSettings(callbacks=places(listed), pages=pages))


def test_connect_challenge_matches_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_connect_verifier_and_state_are_fresh_long_and_independent() -> None:
    begun = [begin() for _ in range(50)]
    verifiers = [each.verifier.reveal() for each in begun]
    states = [each.state or "" for each in begun]
    assert len({*verifiers, *states}) == 100
    assert {len(verifier) for verifier in verifiers} == {86}, "64 bytes"
    assert {len(state) for state in states} == {43}, "32 bytes"
    for verifier, state in zip(verifiers, states, strict=True):
        assert state not in verifier
        assert state != challenge_of(verifier), "whoever sees the address would know it"


def test_connect_address_has_challenge_and_callback_but_no_verifier() -> None:
    begun = begin(f"{PLACE}?next=%2Fhome")
    page, query = urlsplit(begun.authorize_url), parse_qs(urlsplit(begun.authorize_url).query)
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://openrouter.ai/auth"
    assert query == {
        "callback_url": [f"{PLACE}?next=%2Fhome&state={begun.state}"],
        "code_challenge": [challenge_of(begun.verifier.reveal())],
        "code_challenge_method": ["S256"],
    }
    assert begun.verifier.reveal() not in begun.authorize_url


def test_connect_without_a_callback_returns_a_challenge_and_no_state() -> None:
    begun = begin(None, listed="")
    assert begun.state is None
    assert parse_qs(urlsplit(begun.authorize_url).query).keys() == {"code_challenge", "code_challenge_method"}


def test_connect_without_a_callback_list_names_the_setting() -> None:
    with pytest.raises(InvalidField, match=r"^callback_url: no callback is allowed here yet.*ConnectCallbackUrls"):
        begin(listed="")


def test_connect_accepts_a_page_at_another_address() -> None:
    options = ConnectSettings(callbacks=(), pages={"openrouter": "http://127.0.0.1:1/auth"})
    begun = begin_connecting("openrouter", None, CALLER, options)
    assert begun.authorize_url.startswith("http://127.0.0.1:1/auth?code_challenge=")
