"""Calls with an Idempotency-Key: carried out once, however often, from wherever and in whatever state they are sent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.aws_faults import failure, faults
from tests.fakes.clock import FakeClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.house import CHEAP_MODEL, Answer, House, set_clock

REFUSED = failure("AccessDeniedException")


@pytest.fixture
def clock(furnished: House) -> Iterator[FakeClock]:
    """The clock of executions: it stands still until it is moved."""
    module, clock = furnished.module("ExecuteFunction"), FakeClock(datetime.now(UTC))
    before = module.deps
    set_clock(furnished, clock, "ExecuteFunction")
    yield clock
    module.deps = before


@pytest.fixture
def resource_id(furnished: House) -> str:
    return str(furnished.resource()["resource_id"])


def call(house: House, resource_id: str, prompt: str = "Say hello.", key: str = "order-1", **more: Any) -> Answer:
    """Execute with an idempotency key."""
    body = {"resource_id": resource_id, "inputs": {"prompt": prompt}, **more.pop("body", {})}
    return house.call("POST", "/api/execute", body, headers={"Idempotency-Key": key}, **more)


def paid(fake: FakeOpenRouter) -> int:
    """How many calls reached a model."""
    return len(fake.generation_ids)


def rows(house: House) -> list[dict[str, Any]]:
    """Every execution."""
    return house.table("EXECUTIONS_TABLE")


def test_a_repeat_gets_the_same_answer_byte_for_byte_and_costs_nothing(furnished: House, resource_id: str) -> None:
    first, second = call(furnished, resource_id), call(furnished, resource_id)
    assert first.status == second.status == 200, first.text
    assert first.text == second.text
    assert (len(rows(furnished)), paid(furnished.fake)) == (1, 1)
    calls = [int(row["calls"]["N"]) for row in furnished.table("RESOURCE_STATS_TABLE")]
    assert calls == [1, 1]  # one bucket of the day, one of the total


LONG = json.dumps(
    {
        "id": "gen-long",
        "model": CHEAP_MODEL,
        "choices": [{"finish_reason": "stop", "message": {"content": "größer als 8 KB \u2028 " * 1_000}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 9, "cost": 0.0000001},
    }
).encode()
HAIKU = "anthropic/claude-haiku-4.5"


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
def test_whatever_the_answer_it_is_repeated_byte_for_byte(
    furnished: House, config: dict[str, Any], prompt: str, scripted: bytes | None
) -> None:
    furnished.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    resource_id = furnished.resource(config=config)["resource_id"]
    if scripted:
        furnished.fake.script(200, scripted)
    first, second = call(furnished, resource_id, prompt), call(furnished, resource_id, prompt)
    assert first.status == 200, first.text
    assert first.text == second.text
    assert len(furnished.fake.chat_requests) == 1


@pytest.mark.parametrize(
    ("directive", "status"),
    [("error 400", 502), ("error 403 moderation", 422), ("error 429 17", 429), ("error 503", 503), ("empty", 502)],
)
def test_a_failure_is_repeated_word_for_word_and_not_tried_again(
    furnished: House, resource_id: str, directive: str, status: int
) -> None:
    first = call(furnished, resource_id, f"[[fake: {directive}]]")
    sent = len(furnished.fake.chat_requests)
    second = call(furnished, resource_id, f"[[fake: {directive}]]")
    assert first.status == second.status == status
    assert first.text == second.text
    assert len(furnished.fake.chat_requests) == sent
    assert call(furnished, resource_id, "Say hello.", key="order-2").status == 200


@pytest.mark.parametrize("directive", ["hang-up", "not-json", "error 524", "truncated"])
def test_what_may_have_been_paid_is_never_sent_again(furnished: House, resource_id: str, directive: str) -> None:
    first = call(furnished, resource_id, f"[[fake: {directive}]]")
    sent = len(furnished.fake.chat_requests)
    second, third = (call(furnished, resource_id, f"[[fake: {directive}]]") for _ in range(2))
    assert (second.status, second.code) == (504, "outcome_unknown")
    assert second.text == third.text
    error = second.json["error"]
    assert (error["retryable"], error["execution_id"]) == (False, first.json["error"]["execution_id"])
    assert len(furnished.fake.chat_requests) == sent == 1


@pytest.mark.parametrize(
    "other",
    [{"inputs": {"prompt": "Say goodbye."}}, {"overrides": {"temperature": 1}}, {"inputs": {"prompt": "Say hello. "}}],
)
def test_another_request_under_the_same_key_is_refused(
    furnished: House, resource_id: str, other: dict[str, Any]
) -> None:
    call(furnished, resource_id)
    answer = call(furnished, resource_id, body=other)
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert paid(furnished.fake) == 1


def test_the_order_of_a_body_s_members_makes_no_other_request(furnished: House, resource_id: str) -> None:
    first = call(furnished, resource_id)
    raw = json.dumps({"overrides": {}, "inputs": {"prompt": "Say hello."}, "resource_id": resource_id}, indent=2)
    headers = {"Idempotency-Key": "order-1", "Content-Type": "application/json"}
    second = furnished.call("POST", "/api/execute", raw=raw, headers=headers)
    assert first.text == second.text


def test_the_same_key_of_another_user_is_another_call(furnished: House) -> None:
    resource_id = furnished.resource(visibility="public")["resource_id"]
    furnished.connect("bob", "sk-or-v1-" + "b" * 64)
    mine, theirs = call(furnished, resource_id), call(furnished, resource_id, user="bob")
    assert mine.status == theirs.status == 200
    assert mine.json["execution_id"] != theirs.json["execution_id"]
    assert (len(rows(furnished)), paid(furnished.fake)) == (2, 2)


def test_a_refusal_before_anything_was_sent_leaves_the_key_free(furnished: House, resource_id: str) -> None:
    furnished.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False})
    assert call(furnished, resource_id).code == "credential_disabled"
    assert rows(furnished) == []
    furnished.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": True})
    assert call(furnished, resource_id).status == 200


def test_an_answer_is_there_whatever_has_become_of_the_rest(
    furnished: House, resource_id: str, clock: FakeClock
) -> None:
    """The resource is deleted, the key is gone, a day has passed: the answer stays."""
    first = call(furnished, resource_id)
    furnished.call("DELETE", f"/api/resources/{resource_id}")
    furnished.call("DELETE", "/api/user/integrations/openrouter")
    clock.pass_seconds(timedelta(days=1).total_seconds())
    assert call(furnished, resource_id).text == first.text
    (row,) = rows(furnished)
    assert int(row["expires_at"]["N"]) > clock.now().timestamp()


def test_a_run_that_died_before_it_sent_anything_is_taken_over_when_its_lease_is_over(
    furnished: House, resource_id: str, clock: FakeClock
) -> None:
    with faults("UpdateItem", None, REFUSED), faults("DeleteItem", REFUSED):
        assert call(furnished, resource_id).status == 500
    (row,) = rows(furnished)
    assert row["state"] == {"S": "RESERVED"}
    assert call(furnished, resource_id).code == "in_progress"
    clock.pass_seconds(furnished.seconds + 29)
    assert call(furnished, resource_id).code == "in_progress"  # clocks differ
    clock.pass_seconds(2)
    assert call(furnished, resource_id).status == 200
    assert (len(rows(furnished)), paid(furnished.fake)) == (1, 1)


def test_a_run_that_died_after_it_sent_is_not(furnished: House, resource_id: str, clock: FakeClock) -> None:
    with faults("TransactWriteItems", REFUSED), faults("UpdateItem", None, None, REFUSED):
        assert call(furnished, resource_id).status == 200
    assert call(furnished, resource_id).code == "in_progress"
    clock.pass_seconds(furnished.seconds + 31)
    answer = call(furnished, resource_id)
    assert (answer.status, answer.code) == (504, "outcome_unknown")
    assert paid(furnished.fake) == 1
