"""The exchange of a code for a key: the request and the parsing of the response."""

import json

import pytest

from instant.domain.access.integration import Grant
from instant.domain.errors import CredentialRejected, InstantError, RateLimited, UpstreamError
from instant.domain.exchange import Reply
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.openrouter import OpenRouter
from instant.integrations.service import Connectable

KEY = "sk-or-v1-" + "0123456789abcdef" * 4
GRANT = Grant(code=Secret("auth_code_1"), verifier=Secret("v" * 43))


def answered(body: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())


def test_exchange_supports_connecting_openrouter_in_a_browser() -> None:
    assert isinstance(INTEGRATIONS["openrouter"], Connectable)


def test_exchange_sends_code_and_verifier_but_no_key() -> None:
    request = OpenRouter().exchange(GRANT)
    assert (request.method, request.path, request.bearer) == ("POST", "/auth/keys", None)
    assert json.loads(request.body or b"") == {
        "code": "auth_code_1",
        "code_verifier": "v" * 43,
        "code_challenge_method": "S256",
    }


def test_exchange_repr_does_not_show_secrets() -> None:
    shown = repr([GRANT, OpenRouter().exchange(GRANT), answered({"key": KEY})])
    assert not any(secret in shown for secret in ("auth_code_1", "v" * 43, KEY))


@pytest.mark.parametrize("body", [{"key": KEY, "user_id": "user_1"}, {"key": KEY, "user_id": None}, {"key": KEY}])
def test_exchange_returns_only_the_key(body: object) -> None:
    assert OpenRouter().read_exchange(answered(body)) == Secret(KEY)


@pytest.mark.parametrize("body", [{}, {"key": None}, {"key": ""}, {"key": 7}, {"data": {"key": KEY}}, [KEY], None, KEY])
def test_exchange_raises_on_an_answer_without_a_key(body: object) -> None:
    with pytest.raises(UpstreamError):
        OpenRouter().read_exchange(answered(body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, CredentialRejected) for status in (400, 401, 403, 404, 405, 409, 422)),
        (429, RateLimited),
        *((status, UpstreamError) for status in (201, 204, 302, 408, 500, 502, 503, 504, 524)),
    ],
)
def test_exchange_distinguishes_a_rejection_from_a_failure(status: int, kind: type[InstantError]) -> None:
    with pytest.raises(kind) as refused:
        OpenRouter().read_exchange(answered({"key": KEY, "error": {"code": status, "message": "canary"}}, status))
    assert type(refused.value) is kind
    assert "canary" not in refused.value.message
