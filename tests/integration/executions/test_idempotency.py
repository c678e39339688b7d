"""Calls with an Idempotency-Key are executed once, however often and in whatever state they are repeated."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.aws_faults import failure, faults
from tests.fakes.clock import FakeClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.app import CHEAP_MODEL, Answer, App, set_clock

REFUSED = failure("AccessDeniedException")


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    """The clock of executions; it advances only when a test moves it."""
    module, clock = seeded.module("ExecuteFunction"), FakeClock(datetime.now(UTC))
    before = module.deps
    set_clock(seeded, clock, "ExecuteFunction")
    yield clock
    module.deps = before


@pytest.fixture
def resource_id(seeded: App) -> str:
    return str(seeded.resource()["resource_id"])


def call(app: App, resource_id: str, prompt: str = "Say hello.", key: str = "order-1", **more: Any) -> Answer:
    """Execute with an idempotency key."""
    body = {"resource_id": resource_id, "inputs": {"prompt": prompt}, **more.pop("body", {})}
    return app.call("POST", "/api/execute", body, headers={"Idempotency-Key": key}, **more)


def paid(fake: FakeOpenRouter) -> int:
    """Count the calls that reached a model."""
    return len(fake.generation_ids)


def rows(app: App) -> list[dict[str, Any]]:
    """Return every execution."""
    return app.table("EXECUTIONS_TABLE")


def test_repeat_returns_the_same_bytes_and_costs_nothing(seeded: App, resource_id: str) -> None:
    first, second = call(seeded, resource_id), call(seeded, resource_id)
    assert first.status == second.status == 200, first.text
    assert first.text == second.text
    assert (len(rows(seeded)), paid(seeded.fake)) == (1, 1)
    calls = [int(row["calls"]["N"]) for row in seeded.table("RESOURCE_STATS_TABLE")]
    assert calls == [1, 1]  # the buckets of the day and of the total


LONG = json.dumps(
    {
        "id": "gen-long",
        "model": CHEAP_MODEL,
        "choices": [{"finish_reason": "stop", "message": {"content": "größer als 8 KB \u2028 " * 1_000}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 9, "cost": 0.0000001},
    }
).encode()
HAIKU = "anthropic/claude-haiku-4.5"


def unusual(message: dict[str, Any], **more: Any) -> bytes:
    """Return a completion with this message."""
    usage = {"prompt_tokens": 3, "completion_tokens": 9, "cost": 0.0000001}
    choice = {"finish_reason": "stop", "message": message}
    return json.dumps({"id": "gen-1", "model": CHEAP_MODEL, "choices": [choice], "usage": usage, **more}).encode()


JSON_CONFIG = {"model": HAIKU, "response_format": {"type": "json_object"}}
HALF = "\ud83d"
UNUSUAL: dict[str, tuple[dict[str, Any], bytes]] = {
    "refusal": ({}, unusual({"content": None, "refusal": f"No. {HALF}"})),
    "tool call": ({}, unusual({"tool_calls": [{"id": HALF, "function": {"name": HALF, "arguments": '"\\ud83d"'}}]})),
    "citations": (
        {},
        unusual({"content": "x", "annotations": [{"url_citation": {"url": f"https://a.example/{HALF}"}}]}),
    ),
    "json with lone surrogates": (JSON_CONFIG, unusual({"content": r'{"\udc00": "\ud83d"}'})),
    "json nested deeply": (JSON_CONFIG, unusual({"content": "[" * 400 + "]" * 400})),
    "json nested at the limit": (JSON_CONFIG, unusual({"content": "[" * 60 + "]" * 60})),
    "json with many digits": (JSON_CONFIG, unusual({"content": "[0.12345678901234567890]"})),
    "nested deeply beside the answer": (
        {},
        unusual({"content": "x"}).replace(b'"x"', b'"x","y":' + b"[" * 5_000 + b"]" * 5_000),
    ),
    "long facts": ({}, unusual({"content": "x"}, id="g" * 450_000, model="m" * 450_000, provider="p" * 450_000)),
    "facts with lone surrogates": ({}, unusual({"content": "x"}, id=HALF, model=HALF, provider=HALF)),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_answer_is_recorded_repeated_and_read(seeded: App, name: str) -> None:
    config, scripted = UNUSUAL[name]
    resource_id = seeded.resource(config=config)["resource_id"]
    seeded.fake.script(200, scripted)
    first, second = call(seeded, resource_id), call(seeded, resource_id)
    assert (first.status, second.text) == (200, first.text)
    json.dumps(first.json, ensure_ascii=False).encode()  # fails for a lone surrogate
    detail = seeded.call("GET", f"/api/executions/{first.json['execution_id']}")
    assert (detail.status, detail.json["output"]) == (200, first.json["output"])
    assert (detail.json["status"], detail.json["usage"]["cost_usd"]) == ("DONE", "0.0000001")


@pytest.mark.parametrize(
    ("config", "prompt", "scripted"),
    [
        ({}, "Hello.", LONG),
        ({"model": HAIKU, "response_format": {"type": "json_object"}}, "1.10 and 1e2", None),
        ({"model": "juniper/fresco-2", "max_tokens": None}, "[[fake: picture png]]", None),
        ({"model": HAIKU, "web_search": {"max_uses": 1, "max_results": 1}}, "News?", None),
    ],
    ids=["long", "json", "image", "citations"],
)
def test_repeat_returns_any_answer_byte_for_byte(
    seeded: App, config: dict[str, Any], prompt: str, scripted: bytes | None
) -> None:
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    resource_id = seeded.resource(config=config)["resource_id"]
    if scripted:
        seeded.fake.script(200, scripted)
    first, second = call(seeded, resource_id, prompt), call(seeded, resource_id, prompt)
    assert first.status == 200, first.text
    assert first.text == second.text
    assert len(seeded.fake.chat_requests) == 1


@pytest.mark.parametrize(
    ("directive", "status"),
    [("error 400", 502), ("error 403 moderation", 422), ("error 429 17", 429), ("error 503", 503), ("empty", 502)],
)
def test_repeat_returns_the_same_failure_without_a_retry(
    seeded: App, resource_id: str, directive: str, status: int
) -> None:
    first = call(seeded, resource_id, f"[[fake: {directive}]]")
    sent = len(seeded.fake.chat_requests)
    second = call(seeded, resource_id, f"[[fake: {directive}]]")
    assert first.status == second.status == status
    assert first.text == second.text
    assert len(seeded.fake.chat_requests) == sent
    assert call(seeded, resource_id, "Say hello.", key="order-2").status == 200


@pytest.mark.parametrize("directive", ["hang-up", "not-json", "error 524", "truncated"])
def test_repeat_does_not_resend_a_call_that_may_be_paid(seeded: App, resource_id: str, directive: str) -> None:
    first = call(seeded, resource_id, f"[[fake: {directive}]]")
    sent = len(seeded.fake.chat_requests)
    second, third = (call(seeded, resource_id, f"[[fake: {directive}]]") for _ in range(2))
    assert (second.status, second.code) == (504, "outcome_unknown")
    assert second.text == third.text
    error = second.json["error"]
    assert (error["retryable"], error["execution_id"]) == (False, first.json["error"]["execution_id"])
    assert len(seeded.fake.chat_requests) == sent == 1


@pytest.mark.parametrize(
    "other",
    [{"inputs": {"prompt": "Say goodbye."}}, {"overrides": {"temperature": 1}}, {"inputs": {"prompt": "Say hello. "}}],
)
def test_repeat_with_another_request_is_rejected(seeded: App, resource_id: str, other: dict[str, Any]) -> None:
    call(seeded, resource_id)
    answer = call(seeded, resource_id, body=other)
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert paid(seeded.fake) == 1


def test_repeat_ignores_the_order_of_body_members(seeded: App, resource_id: str) -> None:
    first = call(seeded, resource_id)
    raw = json.dumps({"overrides": {}, "inputs": {"prompt": "Say hello."}, "resource_id": resource_id}, indent=2)
    headers = {"Idempotency-Key": "order-1", "Content-Type": "application/json"}
    second = seeded.call("POST", "/api/execute", raw=raw, headers=headers)
    assert first.text == second.text


def test_repeat_of_another_users_key_is_a_new_execution(seeded: App) -> None:
    resource_id = seeded.resource(visibility="public")["resource_id"]
    seeded.connect("bob", "sk-or-v1-" + "b" * 64)
    mine, theirs = call(seeded, resource_id), call(seeded, resource_id, user="bob")
    assert mine.status == theirs.status == 200
    assert mine.json["execution_id"] != theirs.json["execution_id"]
    assert (len(rows(seeded)), paid(seeded.fake)) == (2, 2)


def test_rejection_before_sending_leaves_the_key_free(seeded: App, resource_id: str) -> None:
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False})
    assert call(seeded, resource_id).code == "credential_disabled"
    assert rows(seeded) == []
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": True})
    assert call(seeded, resource_id).status == 200


def test_repeat_returns_the_answer_after_resource_and_key_are_deleted(
    seeded: App, resource_id: str, clock: FakeClock
) -> None:
    """The answer is still returned a day later."""
    first = call(seeded, resource_id)
    seeded.call("DELETE", f"/api/resources/{resource_id}")
    seeded.call("DELETE", "/api/user/integrations/openrouter")
    clock.pass_seconds(timedelta(days=1).total_seconds())
    assert call(seeded, resource_id).text == first.text
    (row,) = rows(seeded)
    assert int(row["expires_at"]["N"]) > clock.now().timestamp()


def test_repeat_takes_over_an_unsent_execution_after_its_lease(seeded: App, resource_id: str, clock: FakeClock) -> None:
    executions = seeded.name("EXECUTIONS_TABLE")
    with faults("UpdateItem", REFUSED, where=executions), faults("DeleteItem", REFUSED):
        assert call(seeded, resource_id).status == 500
    (row,) = rows(seeded)
    assert row["state"] == {"S": "RESERVED"}
    assert call(seeded, resource_id).code == "in_progress"
    clock.pass_seconds(seeded.seconds + 29)
    assert call(seeded, resource_id).code == "in_progress"  # allows for clock skew
    clock.pass_seconds(2)
    assert call(seeded, resource_id).status == 200
    assert (len(rows(seeded)), paid(seeded.fake)) == (1, 1)


def test_repeat_does_not_take_over_a_sent_execution(seeded: App, resource_id: str, clock: FakeClock) -> None:
    executions = seeded.name("EXECUTIONS_TABLE")
    with faults("TransactWriteItems", REFUSED), faults("UpdateItem", None, REFUSED, where=executions):
        assert call(seeded, resource_id).status == 200
    assert call(seeded, resource_id).code == "in_progress"
    clock.pass_seconds(seeded.seconds + 31)
    answer = call(seeded, resource_id)
    assert (answer.status, answer.code) == (504, "outcome_unknown")
    assert paid(seeded.fake) == 1
