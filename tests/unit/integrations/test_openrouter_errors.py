"""OpenRouter errors: the error returned to the caller, and the recorded cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from instant.domain.errors import (
    CostCap,
    CredentialRejected,
    CreditsExhausted,
    InstantError,
    ModelUnavailable,
    Moderated,
    OutcomeUnknown,
    RateLimited,
    TooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Reply
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.errors import error_of, failure_of, nothing_done

ACCOUNT = "user_2abcdefCANARY"
KEY = "sk-or-v1-" + "CANARY" * 8
WORDS = "CANARY: what upstream said about the input"


@dataclass(frozen=True)
class Case:
    """A response of OpenRouter and the expected error."""

    status: int
    kind: type[InstantError]
    message: str = WORDS
    metadata: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None

    def reply(self) -> Reply:
        """Return the response, with an account id and a key in it."""
        error: dict[str, Any] = {"code": self.status, "message": f"{self.message} ({KEY})"}
        if self.metadata is not None:
            error["metadata"] = {"raw": f"{WORDS} {KEY}", **self.metadata}
        body = json.dumps({"error": error, "user_id": ACCOUNT}).encode()
        return Reply(status=self.status, body=body, headers=self.headers)


CASES = {
    "400": Case(400, UpstreamError, "Provider returned error", {"provider_name": "Meadow"}),
    "400 parameter": Case(400, UpstreamError, "temperature must be at most 1"),
    "400 context": Case(400, TooLarge, "This endpoint's maximum context length is 8192 tokens."),
    "400 context by type": Case(400, TooLarge, metadata={"error_type": "context_length_exceeded"}),
    "400 unknown model": Case(400, ModelUnavailable, "meadow/gone is not a valid model ID"),
    "401 revoked": Case(401, CredentialRejected, "User not found."),
    "401 missing": Case(401, CredentialRejected, "No cookie auth credentials found"),
    "402": Case(402, CreditsExhausted, "You requested up to 65536 tokens, but can only afford 10114."),
    "403 moderation": Case(403, Moderated, metadata={"reasons": ["violence"], "flagged_input": WORDS}),
    "403 policy": Case(403, Moderated, metadata={"error_type": "content_policy_violation"}),
    "403 key limit": Case(403, CreditsExhausted, "Key limit exceeded (monthly limit). Manage it there."),
    "403 permission": Case(403, ModelUnavailable, metadata={"error_type": "permission_denied"}),
    "403 region": Case(403, UpstreamError, "Provider returned error", {"provider_name": "Meadow"}),
    "403 provider's permission": Case(
        403, ModelUnavailable, metadata={"error_type": "permission_denied", "provider_name": "Meadow"}
    ),
    "403 guardrail": Case(403, UpstreamError, metadata={"patterns": [WORDS]}),
    "403 bare": Case(403, UpstreamError),
    "404 tools": Case(404, ModelUnavailable, "No endpoints found that support tool use."),
    "404 batch": Case(404, ModelUnavailable, "This model is only available through the Batch API."),
    "405": Case(405, UpstreamError),
    "408": Case(408, OutcomeUnknown),
    "409": Case(409, UpstreamError),
    "413": Case(413, TooLarge),
    "422": Case(422, UpstreamError),
    "422 too long": Case(422, TooLarge, metadata={"error_type": "string_too_long"}),
    "429": Case(429, RateLimited, retry_after=10),
    "429 wait": Case(429, RateLimited, headers={"retry-after": "17"}, retry_after=17),
    "429 wait forever": Case(429, RateLimited, headers={"retry-after": "9" * 5000}, retry_after=86_400),
    "429 wait until": Case(429, RateLimited, headers={"retry-after": "Sun, 22 Nov 2026 12:00:00 GMT"}, retry_after=10),
    "429 wait until the past": Case(429, RateLimited, headers={"retry-after": "-1"}, retry_after=10),
    "500": Case(500, UpstreamError),
    "502": Case(502, UpstreamError, "Provider returned error", {"error_type": "provider_unavailable"}),
    "503": Case(503, UpstreamUnavailable, headers={"retry-after": "3"}, retry_after=3),
    "504": Case(504, OutcomeUnknown),
    "524": Case(524, OutcomeUnknown),
    "529": Case(529, UpstreamUnavailable, metadata={"error_type": "provider_overloaded"}, retry_after=10),
    "302": Case(302, UpstreamError),
    "599": Case(599, UpstreamError),
}


def test_errors_with_a_cost_count_as_begun() -> None:
    body = b'{"error": {"code": 503, "message": "busy"}, "usage": {"cost": 0.01}}'
    assert not nothing_done(Reply(status=503, body=body))
    assert nothing_done(Reply(status=503, body=b'{"error": {"code": 503}}'))


UNREADABLE = {
    "a cost that is no amount": {"cost": "much"},
    "a missing bill": {"cost": 0, "is_byok": True},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_errors_with_an_unreadable_cost_are_not_free(name: str) -> None:
    body = {"error": {"code": 503, "message": "busy"}, "usage": UNREADABLE[name]}
    reply = Reply(status=503, body=json.dumps(body).encode())
    assert failure_of(reply).cost.cost_nanousd is None
    assert not nothing_done(reply)


@pytest.mark.parametrize("name", CASES)
def test_errors_map_each_answer_to_its_kind(name: str) -> None:
    case = CASES[name]
    error = failure_of(case.reply()).error
    assert type(error) is case.kind
    assert error.wait == case.retry_after
    assert error.body() == error_of(case.reply()).body()


@pytest.mark.parametrize("name", CASES)
def test_errors_record_zero_for_rejections_and_unknown_for_timeouts(name: str) -> None:
    failure = failure_of(CASES[name].reply())
    assert failure.outcome_unknown is isinstance(failure.error, OutcomeUnknown)
    if failure.outcome_unknown:
        assert failure.receipt == Receipt()
        assert not failure.error.retryable
    else:
        assert failure.receipt == Receipt(cost_nanousd=0)


@pytest.mark.parametrize("name", CASES)
def test_errors_do_not_repeat_upstream_text(name: str) -> None:
    case = CASES[name]
    error = failure_of(case.reply()).error
    shown = json.dumps(error.body()) + str(error) + repr(error)
    for secret in (ACCOUNT, KEY, WORDS, "CANARY", case.message):
        assert secret not in shown


def test_errors_retry_only_rate_limits_and_lack_of_capacity() -> None:
    retryable = {name for name, case in CASES.items() if failure_of(case.reply()).error.retryable}
    assert retryable == {name for name in CASES if name[:3] in {"429", "503", "529"}}


HTML = b"<html><head><title>524: A timeout occurred</title></head><body>CANARY</body></html>"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamError),
        (401, UpstreamUnavailable),
        (402, UpstreamUnavailable),
        (403, UpstreamUnavailable),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, OutcomeUnknown),
        (524, OutcomeUnknown),
        (599, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", HTML, b"null", b"[]", b'{"error":"CANARY"}', b'{"error":null}', b"\xff\xfe", b"["]
)
def test_errors_use_the_status_when_the_body_is_uninformative(
    status: int, kind: type[InstantError], body: bytes
) -> None:
    failure = failure_of(Reply(status=status, body=body))
    assert type(failure.error) is kind
    assert failure.outcome_unknown is (status >= 500)
    assert failure.receipt == Receipt(cost_nanousd=None if status >= 500 else 0)
    assert "CANARY" not in json.dumps(failure.error.body())


@pytest.mark.parametrize("value", [[], {}, 7, None, True, ["x"], {"a": []}])
def test_errors_accept_metadata_of_any_shape(value: object) -> None:
    keys = ("error_type", "reasons", "provider_name")
    for status in (400, 403, 413, 422):
        for metadata in (value, dict.fromkeys(keys, value)):
            error = {"code": value, "message": value, "metadata": metadata}
            found = failure_of(Reply(status=status, body=json.dumps({"error": error}).encode()))
            assert found.receipt is not None


def test_errors_record_the_cost_reported_by_a_failure() -> None:
    body = {"error": {"code": 500, "message": "late"}, "usage": {"prompt_tokens": 9, "cost": 0.0000012}}
    error = failure_of(Reply(status=500, body=json.dumps(body).encode()))
    assert error.receipt is not None
    assert error.receipt.cost_nanousd == 1_200
    assert error.receipt.prompt_tokens == 9


def test_errors_keep_the_generation_id() -> None:
    for status, body in ((500, b""), (502, HTML), (400, b""), (429, b'{"error":{"code":429}}'), (524, HTML)):
        error = failure_of(Reply(status=status, body=body, headers={"x-generation-id": "gen-7"}))
        assert error.receipt is not None
        assert error.receipt.generation_id == "gen-7"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(402, CreditsExhausted), (429, RateLimited), (524, OutcomeUnknown), (503, UpstreamUnavailable)]
    + [("429", RateLimited), ("524", OutcomeUnknown), ("rate_limit_exceeded", RateLimited), ("timeout", OutcomeUnknown)]
    + [("context_length_exceeded", TooLarge)]
    + [(code, UpstreamError) for code in (None, "4290", "server_error", 200, 0, -1, 1.5, True, "-1", "", ["429"])],
    ids=repr,
)
def test_errors_inside_status_200_are_mapped_by_code(code: object, kind: type[InstantError]) -> None:
    body = json.dumps({"error": {"code": code, "message": WORDS}}).encode()
    assert type(failure_of(Reply(status=200, body=body)).error) is kind


TOO_DEAR: dict[str, Any] = {"code": "constraint_filtered", "constraint": "max_price"}


@pytest.mark.parametrize(
    ("message", "availability", "kind"),
    [
        ("No endpoints found that fit.", TOO_DEAR, CostCap),
        ("No endpoints found within the maximum price.", {"code": "constraint_filtered"}, CostCap),
        ("No endpoints found.", {"code": "constraint_filtered", "constraint": "zdr"}, ModelUnavailable),
        ("No endpoints found at this price.", {"code": "no_endpoints"}, ModelUnavailable),
        ("No endpoints found at this price.", None, ModelUnavailable),
    ],
)
def test_errors_distinguish_own_price_limit_from_a_retired_model(
    message: str, availability: object, kind: type[InstantError]
) -> None:
    body = {"error": {"code": 404, "message": message, "availability": availability}}
    failure = failure_of(Reply(status=404, body=json.dumps(body).encode()))
    assert type(failure.error) is kind
    assert ("max_cost_per_call_usd" in failure.error.message) is (kind is CostCap)
    assert failure.receipt == Receipt(cost_nanousd=0)


DAILY = json.dumps({"error": {"code": 429, "metadata": {"limit_source": "openrouter_free_tier_daily"}}}).encode()


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sun, 22 Nov 2026 00:00:00 GMT", 86_400),
        ("Sun, 22 Nov 2026 13:30:15 GMT", 10 * 3_600 + 29 * 60 + 45),
        ("Sun, 22 Nov 2026 23:59:59 GMT", 1),
        ("yesterday", 3_600),
        ("", 3_600),
        (None, 3_600),
    ],
)
def test_errors_daily_free_limit_expires_at_midnight_of_reply_date(date: str | None, seconds: int) -> None:
    headers = {"retry-after": "17", **({} if date is None else {"date": date})}
    reply = Reply(status=429, body=DAILY, headers=headers)
    error = failure_of(reply).error
    assert not nothing_done(reply), "a short wait does not help"
    assert (type(error), error.retry_after, error.retryable) == (RateLimited, seconds, True)
    assert "midnight" in error.message


def test_errors_in_edge_html_are_unknown_with_generation_id() -> None:
    error = failure_of(Reply(status=502, body=HTML, headers={"x-generation-id": "gen-7"}))
    assert type(error.error) is OutcomeUnknown
    assert (error.outcome_unknown, error.error.retryable) == (True, False)
    assert error.receipt == Receipt(generation_id="gen-7")


def test_errors_without_capacity_or_over_the_limit_were_not_begun() -> None:
    done = {name for name, case in CASES.items() if not nothing_done(case.reply())}
    assert done.isdisjoint({name for name in CASES if name[:3] in {"503", "529"}} | {"429", "429 wait"})
    assert {name for name in CASES if name[:3] not in {"429", "503", "529"}} <= done


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, HTML),
        (529, b""),
        (503, b'{"error":{"code":503},"usage":{"cost":0.1}}'),
        (200, b'{"error":{"code":429}}'),
        (500, b'{"error":{"code":503}}'),
    ],
    ids=["edge HTML", "empty", "with a cost", "inside a 200", "another status"],
)
def test_errors_of_any_other_kind_count_as_possibly_begun(status: int, body: bytes) -> None:
    assert not nothing_done(Reply(status=status, body=body))
