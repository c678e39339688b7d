"""The key check: the request and the parsing of the response."""

import json

import pytest

from instant.domain.access.integration import KeyFacts
from instant.domain.errors import CredentialRejected, InstantError, OutcomeUnknown, RateLimited, UpstreamError
from instant.domain.exchange import Reply
from instant.domain.secret import Mask, Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.openrouter import OpenRouter

KEY = Secret("sk-or-v1-" + "0123456789abcdef" * 4)


def answered(data: object, status: int = 200) -> Reply:
    """Return a response of GET /key."""
    return Reply(status=status, body=json.dumps(data).encode())


def test_key_openrouter_is_listed_as_a_connectable_service() -> None:
    assert isinstance(INTEGRATIONS["openrouter"], OpenRouter)
    assert all(service.name == name for name, service in INTEGRATIONS.items())


def test_key_check_is_free_and_sends_only_a_bearer() -> None:
    request = OpenRouter().key_check(KEY)
    assert (request.method, request.path, request.body, dict(request.headers)) == ("GET", "/key", None, {})
    assert request.bearer == KEY


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ({"label": "sk-or…z", "limit_remaining": 4.21}, KeyFacts(label="sk-or…z", limit_remaining="4.21")),
        ({"label": "x", "limit_remaining": None}, KeyFacts(label="x")),
        ({"label": "sk-or-v1-0e6...1c9"}, KeyFacts(label="sk-or-v1-...1c9")),
        ({"label": "laptop (sk-or-0e61...1c9)"}, KeyFacts(label="laptop (sk-or-...1c9)")),
        ({"label": "sk-or-v1-" + "0e6f" * 16}, KeyFacts(label="sk-or-v1-")),
        ({"label": "x", "limit_remaining": 5}, KeyFacts(label="x", limit_remaining="5")),
        ({"label": "x", "limit_remaining": 1e-7}, KeyFacts(label="x", limit_remaining="0.0000001")),
        ({"label": "", "limit_remaining": "a lot"}, KeyFacts()),
        ({"limit_remaining": True, "label": 7}, KeyFacts()),
        ({"usage": 1}, KeyFacts()),
        ({"label": "\ud83d" + "x" * 450_000}, KeyFacts(label="?" + "x" * 199)),
    ],
    ids=["limit", "no limit", "masked", "named", "full key", "integer", "tiny", "text", "wrong types", "empty", "long"],
)  # fmt: skip
def test_key_check_returns_the_label_and_remaining_credit(data: object, facts: KeyFacts) -> None:
    assert OpenRouter().read_key_check(answered({"data": data})) == facts


def test_key_check_label_does_not_contain_an_escaped_key() -> None:
    label = "".join(f"\\u{ord(each):04x}" for each in f"{'x' * 150}{KEY.reveal()}")
    reply = Reply(status=200, body=b'{"data": {"label": "%s"}}' % label.encode(), mask=Mask(KEY))
    assert OpenRouter().read_key_check(reply).label == "x" * 150 + "[key]"


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": None}, {"data": []}, [], None, "text"])
def test_key_check_rejects_an_answer_without_data(body: object) -> None:
    with pytest.raises(UpstreamError):
        OpenRouter().read_key_check(answered(body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, CredentialRejected), (429, RateLimited), (500, UpstreamError), (524, OutcomeUnknown), (302, UpstreamError)],
)
def test_key_check_distinguishes_a_rejection_from_a_failure(status: int, kind: type[InstantError]) -> None:
    with pytest.raises(kind):
        OpenRouter().read_key_check(answered({"error": {"code": status, "message": "no"}}, status))


@pytest.mark.parametrize("text", ["sk-or-v1-" + "a" * 64, "sk-or-12345678", "sk-or-v1-A_b-C9xyz", "sk-or-" + "a" * 250])
def test_key_format_accepts_valid_keys(text: str) -> None:
    assert OpenRouter.key_shape.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    ["", "sk-or-", "sk-or-1234567", "sk-ant-12345678", "sk-or-1234 5678", "sk-or-12345678\n", "sk-or-1234\r\nHost: x",
     "sk-or-" + "a" * 251, "sk-or-äöüäöüäöü", "Bearer sk-or-12345678"],
)  # fmt: skip
def test_key_format_rejects_invalid_keys(text: str) -> None:
    assert not OpenRouter.key_shape.fullmatch(text)
