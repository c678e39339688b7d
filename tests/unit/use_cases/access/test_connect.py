"""An authorization request has a new verifier and state; its URL contains only the challenge."""

from urllib.parse import parse_qs, urlsplit

import pytest

from instant.domain.access.callback import places
from instant.domain.access.integration import AuthorizationRequest
from instant.domain.errors import InvalidField
from instant.use_cases.access.connect import ConnectSettings, begin_connecting, challenge_of

CALLBACK = "https://good.example/callback"


def begin(callback_url: str | None = CALLBACK, listed: str = CALLBACK, **pages: str) -> AuthorizationRequest:
    return begin_connecting("openrouter", callback_url, ConnectSettings(callbacks=places(listed), pages=pages))


def test_connect_challenge_matches_rfc_7636() -> None:
    """The example is from RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_connect_verifier_and_state_are_new_long_and_independent() -> None:
    started = [begin() for _ in range(50)]
    verifiers = [each.verifier.reveal() for each in started]
    states = [each.state or "" for each in started]
    assert len({*verifiers, *states}) == 100
    assert {len(verifier) for verifier in verifiers} == {86}, "64 bytes"
    assert {len(state) for state in states} == {43}, "32 bytes"
    for verifier, state in zip(verifiers, states, strict=True):
        assert state not in verifier
        assert state != challenge_of(verifier), "the URL must not reveal the verifier"


def test_connect_url_has_challenge_and_callback_but_no_verifier() -> None:
    started = begin(f"{CALLBACK}?next=%2Fhome")
    page, query = urlsplit(started.authorize_url), parse_qs(urlsplit(started.authorize_url).query)
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://openrouter.ai/auth"
    assert query == {
        "callback_url": [f"{CALLBACK}?next=%2Fhome&state={started.state}"],
        "code_challenge": [challenge_of(started.verifier.reveal())],
        "code_challenge_method": ["S256"],
    }
    assert started.verifier.reveal() not in started.authorize_url


def test_connect_without_a_callback_returns_a_challenge_and_no_state() -> None:
    started = begin(None, listed="")
    assert started.state is None
    assert parse_qs(urlsplit(started.authorize_url).query).keys() == {"code_challenge", "code_challenge_method"}


def test_connect_without_a_callback_list_names_the_setting() -> None:
    with pytest.raises(InvalidField, match=r"^callback_url: no callback is allowed here yet.*ConnectCallbackUrls"):
        begin(listed="")


def test_connect_uses_a_configured_authorization_page() -> None:
    options = ConnectSettings(callbacks=(), pages={"openrouter": "http://127.0.0.1:1/auth"})
    started = begin_connecting("openrouter", None, options)
    assert started.authorize_url.startswith("http://127.0.0.1:1/auth?code_challenge=")
