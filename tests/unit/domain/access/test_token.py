"""Access tokens are checked by their form, audience and subject."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.token import MAX_LENGTH, TokenClaims, is_meant_for, is_safe_url, is_subject, looks_like_token

ISSUER = "https://issuer.example/pool"


def test_token_user_id_is_stable_and_hides_the_subject() -> None:
    user_id = TokenClaims(ISSUER, "carol@mail.example").user_id
    assert user_id == "oidc_nr2ny2zyailite6g65lcirulniiq3xw3"
    assert TokenClaims(ISSUER, "carol@mail.example").user_id == user_id


@given(st.text(), st.text())
def test_token_user_ids_differ_between_subjects(one: str, other: str) -> None:
    ids = {TokenClaims(issuer, sub).user_id for issuer in (ISSUER, ISSUER + "/") for sub in (one, other)}
    assert len(ids) == 2 * len({one, other})


@pytest.mark.parametrize("text", ["a.b.c", "-_9.Zz.0", "a.b." + "c" * (MAX_LENGTH - 4)])
def test_token_form_accepts_three_parts(text: str) -> None:
    assert looks_like_token(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a",
            "a.b",
            "a.b.",
            ".b.c",
            "a..c",
            "a.b.c.d",
            "a.b.c=",
            "a.b.c\n",
            " a.b.c",
            "a.b.ç",
            "a.b.+",
            "a b.c.d",
        ),
        "a.b." + "c" * (MAX_LENGTH - 3),
    ],
)
def test_token_form_rejects_anything_else(text: str) -> None:
    assert not looks_like_token(text)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api"},
        {"aud": ["other", "api"]},
        {"aud": "api", "client_id": "other"},
        {"client_id": "api"},
        {"client_id": "api", "token_use": "access"},
    ],
)
def test_token_audience_accepts_tokens_for_this_api(claims: dict[str, Any]) -> None:
    assert is_meant_for("api", claims)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": "api2"},
        {"aud": "xapi"},
        {"aud": []},
        {"aud": [["api"]]},
        {"aud": {"api": 1}},
        {"aud": None, "client_id": "api"},
        {"aud": "other", "client_id": "api"},
        {"azp": "api"},
        {"client_id": "other"},
        {"aud": "api", "token_use": "id"},
        {"aud": "api", "token_use": None},
    ],
)
def test_token_audience_rejects_tokens_for_another_api(claims: dict[str, Any]) -> None:
    assert not is_meant_for("api", claims)


@pytest.mark.parametrize("name", ["carol", "auth0|5f7c", "8d2e-41", "Zoë", "x" * 255])
def test_token_subject_accepts_valid_names(name: str) -> None:
    assert is_subject(name)


@pytest.mark.parametrize("name", [None, 7, True, ["carol"], "", "x" * 256, "a\nb", "\ud800", "a\0"])
def test_token_subject_rejects_invalid_names(name: Any) -> None:
    assert not is_subject(name)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "https://a.example:8443/x/",
        "https://a.example/jwks?v=1",
        "http://127.0.0.1:9/x",
        "https://a.example:1",
    ],
)
def test_token_url_accepts_safe_locations(url: str) -> None:
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.example", "http://a.example", "ftp://a.example", "file:///etc/passwd", "https://", "https:a.example"),
        *("https://user@a.example", "https://u:p@a.example", "https://a.example/#x", "https://a .example"),
        *(
            "https://a.example\n",
            "https://a.example:x",
            "https://[::1",
            "http://127.0.0.1@a.example",
            "http://localhost",
        ),
        *("http://127.0.0.1.a.example", "https://ä.example", "https://a.example:99999"),
    ],
)
def test_token_url_rejects_unsafe_locations(url: str) -> None:
    assert not is_safe_url(url)


@given(st.text())
def test_token_form_check_accepts_any_text_without_raising(text: str) -> None:
    assert not is_safe_url(text + " ")
    assert not looks_like_token(text + ".")
