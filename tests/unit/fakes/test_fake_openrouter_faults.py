"""Faults that are requested by directives in a prompt, in a test, or of a model."""

import json
import re
from decimal import Decimal
from typing import Any

import httpx
import pytest

import tests.fakes.openrouter as package
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.chat.directives import NAMES
from tests.unit.fakes.conftest import Ask


def wish(ask: Ask, text: str, **more: Any) -> httpx.Response:
    return ask(f"Tell me about tides. [[fake: {text}]]", **more)


def choice(answer: httpx.Response) -> Any:
    assert answer.status_code == 200
    return answer.json()["choices"][0]


def test_faults_are_documented() -> None:
    documented = re.findall(r"^    (?=\S)([a-z0-9-]+)", str(package.__doc__), re.MULTILINE)
    assert set(documented) - {"with"} == NAMES


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529])
def test_faults_return_errors_with_their_code(ask: Ask, status: int) -> None:
    answer = wish(ask, f"error {status}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
    assert ("Retry-After" in answer.headers) == (status in (429, 503))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("error 400", ["error", "metadata", "raw"]),
        ("error 400 context", ["error", "metadata", "previous_errors"]),
        ("error 402", ["user_id"]),
        ("error 403 moderation", ["error", "metadata", "flagged_input"]),
        ("error 403 region", ["error", "metadata", "raw"]),
        ("error 403 guardrail", ["error", "metadata", "patterns"]),
        ("error 404 gone", ["error", "availability", "fallback_models"]),
        ("error 429 daily", ["error", "metadata", "headers", "X-RateLimit-Reset"]),
    ],
)
def test_faults_return_errors_with_distinguishing_fields(ask: Ask, text: str, path: list[str]) -> None:
    value = wish(ask, text).json()
    for key in path:
        value = value[key]
    assert value


def test_faults_return_html_for_an_edge_timeout(ask: Ask) -> None:
    answer = wish(ask, "error 524")
    assert (answer.status_code, answer.headers["Content-Type"]) == (524, "text/html; charset=UTF-8")
    assert wish(ask, "error 524 json").json()["error"]["code"] == 524


def test_faults_return_the_chosen_retry_after(ask: Ask) -> None:
    assert wish(ask, "error 429 0").headers["Retry-After"] == "0"
    assert wish(ask, "error 503 120").headers["Retry-After"] == "120"


@pytest.mark.parametrize("text", ["eror 429", "error 418", "error", "price much", "slow down", ""])
def test_faults_reject_an_unknown_directive(ask: Ask, text: str) -> None:
    answer = wish(ask, text)
    assert (answer.status_code, "FakeOpenRouter" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("text", "content", "finish"),
    [
        ("empty", "", "stop"),
        ("null-content", None, "stop"),
        ("reasoning-only", "", "length"),
        ("refusal", None, "stop"),
        ("content-filter", "", "content_filter"),
        ("tool-calls", None, "tool_calls"),
    ],
)
def test_faults_return_answers_without_text(ask: Ask, text: str, content: str | None, finish: str) -> None:
    got = choice(wish(ask, text))
    assert (got["message"]["content"], got["finish_reason"]) == (content, finish)
    assert bool(got["message"]["refusal"]) == (text == "refusal")
    assert bool(got["message"]["reasoning"]) == (text == "reasoning-only")
    assert ("tool_calls" in got["message"]) == (text == "tool-calls")


def test_faults_return_an_error_inside_status_200(ask: Ask) -> None:
    failed = wish(ask, "200-error")
    assert (failed.status_code, set(failed.json())) == (200, {"error", "user_id"})
    broken = choice(wish(ask, "choice-error"))
    assert (broken["finish_reason"], broken["error"]["code"]) == ("error", 502)


def test_faults_omit_usage_on_request(ask: Ask) -> None:
    assert "usage" not in wish(ask, "no-usage").json()
    assert set(wish(ask, "no-cost").json()["usage"]) & {"cost", "cost_details", "is_byok"} == set()


def test_faults_return_the_requested_cost(ask: Ask) -> None:
    text = wish(ask, "price 0.00000034").text
    assert '"cost":3.4e-7' in text
    assert json.loads(text, parse_float=Decimal)["usage"]["cost"] == Decimal("0.00000034")


def test_faults_return_undocumented_keys_and_values(ask: Ask) -> None:
    body = wish(ask, "weird").json()
    assert (body["choices"][0]["finish_reason"], body["weather"]) == ("daydreaming", "mild")


def test_faults_return_a_huge_answer(ask: Ask) -> None:
    assert len(wish(ask, "huge").content) > 4 * 1024 * 1024


def test_faults_return_bodies_that_are_not_json(ask: Ask) -> None:
    for text in ("not-json", "cut-json"):
        answer = wish(ask, text)
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_faults_can_be_queued_by_a_test(openrouter: FakeOpenRouter, ask: Ask) -> None:
    openrouter.answer_next("error 429 0")
    openrouter.answer_next("price 2", "no-usage")
    openrouter.answer_next()
    assert [ask("Hello").status_code for _ in range(2)] == [429, 200]
    assert wish(ask, "error 500").status_code == 200


def test_faults_can_be_bound_to_a_model(ask: Ask) -> None:
    assert ask("Hello", model="faulty/always-429").status_code == 429
    assert choice(ask("Hello", model="faulty/always-empty"))["message"]["content"] == ""


def test_faults_ignore_all_but_the_last_user_message(ask: Ask) -> None:
    messages = [{"role": "user", "content": "[[fake: empty]]"}, {"role": "user", "content": "Tides?"}]
    assert choice(ask("", messages=messages))["message"]["content"]
