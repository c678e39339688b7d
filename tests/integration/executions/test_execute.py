"""POST /api/execute: its response, the request to the model, the ledger row and the counters."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from instant.domain.money import to_nanousd, usd_text
from tests.integration.app import GOOD_KEY, App


def test_execute_returns_output_model_and_cost(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "Say hello.")
    assert answer.status == 200
    body = answer.json
    assert body["success"] is True
    assert body["execution_id"].startswith("exe_")
    assert body["output"]["type"] == "text"
    assert "Say hello" in body["output"]["content"]
    assert body["model"].startswith(resource["ai_model_id"])
    assert body["provider"]
    assert body["usage"]["cost_usd"].startswith("0.0000")
    assert body["finish_reason"] == "stop"


def test_execute_accepts_the_resource_address(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.call("POST", "/api/execute", {"resource": resource["address"], "inputs": {"prompt": "Say hello."}})
    assert answer.status == 200


def test_execute_records_every_field_in_the_ledger(seeded: App) -> None:
    resource = seeded.resource()
    body = seeded.execute(resource["resource_id"]).json
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["state"] == {"S": "DONE"}
    assert row["user_id"] == row["payer_id"] == {"S": "user_alice"}
    assert row["key_source"] == {"S": "caller"}
    assert row["resource_revision"] == {"N": "1"}
    assert usd_text(int(row["cost_nanousd"]["N"])) == body["usage"]["cost_usd"]
    assert int(row["reserved_nanousd"]["N"]) >= int(row["cost_nanousd"]["N"])
    assert row["generation_id"]["S"].startswith("gen-")
    assert json.loads(row["answer"]["S"]) == body
    assert row["created_at"]["S"] < row["finished_at"]["S"]
    assert "open_shard" not in row


def test_execute_counts_each_execution_once_for_its_resource(seeded: App) -> None:
    resource = seeded.resource()
    costs = [seeded.execute(resource["resource_id"]).json["usage"]["cost_usd"] for _ in range(3)]
    seeded.execute(resource["resource_id"], "[[fake: error 500]]")
    stats = seeded.call("GET", f"/api/resources/{resource['resource_id']}").json["stats"]
    assert (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"]) == (4, 3, 1)
    assert stats["cost_usd_30d"] == usd_text(sum(to_nanousd(Decimal(cost)) for cost in costs))
    assert stats["last_called_at"]


def test_execute_sends_a_capped_request_with_only_the_callers_key(seeded: App) -> None:
    config = {"system_prompt": "Be brief.", "temperature": 0.2, "max_tokens": 77}
    resource = seeded.resource(config=config)
    seeded.execute(resource["resource_id"], "Say hello.")
    (sent,) = seeded.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {GOOD_KEY}"
    assert sent.headers["accept-encoding"] == "identity"
    body = sent.json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello."},
    ]
    assert (body["max_completion_tokens"], body["temperature"]) == (77, 0.2)
    assert body["user"] == sha256(b"user_alice").hexdigest()
    assert body["stream"] is False
    assert set(body) == {"model", "messages", "stream", "max_completion_tokens", "temperature", "user", "provider"}
    assert set(body["provider"]) == {"max_price"}


def test_execute_caps_the_length_without_an_owner_limit(seeded: App) -> None:
    resource = seeded.resource(config={"model": "meadow/lark", "max_tokens": None})
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[0].json["max_completion_tokens"] == 4096


def test_execute_omits_a_parameter_the_model_no_longer_supports(seeded: App) -> None:
    resource = seeded.resource(config={"temperature": 0.5})
    _change(seeded, resource["ai_model_id"], supported_parameters=["max_tokens"])
    seeded.sync()
    assert seeded.execute(resource["resource_id"]).status == 200
    assert "temperature" not in seeded.fake.chat_requests[0].json


def test_execute_allows_a_public_resource_with_the_callers_own_key(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    bobs = "sk-or-v1-" + "b" * 64
    seeded.connect("bob", bobs)
    assert seeded.execute(resource["resource_id"], user="bob").status == 200
    (sent,) = seeded.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {bobs}"
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["user_id"] == row["payer_id"] == {"S": "user_bob"}


def test_execute_stores_an_answer_above_8_kb_as_an_object(seeded: App) -> None:
    resource = seeded.resource()
    long = "word " * 4_000
    answer = _answer(long)
    seeded.fake.script(200, json.dumps(answer).encode())
    body = seeded.execute(resource["resource_id"]).json
    assert body["output"]["content"] == long
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert "answer" not in row
    assert row["answer_key"]["S"].startswith(f"media/{body['execution_id']}/")
    detail = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"]["content"] == long


def test_execute_returns_a_tool_call_as_the_answer(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "[[fake: tool-calls]]")
    assert answer.status == 200
    assert answer.json["output"]["type"] == "json"
    assert answer.json["output"]["content"]["tool_calls"][0]["name"]


def test_execute_returns_a_model_refusal_as_the_answer(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "[[fake: refusal]]")
    assert answer.status == 200
    assert answer.json["output"]["type"] == "text"


def test_execute_keeps_an_unknown_cost_unknown(seeded: App) -> None:
    resource = seeded.resource()
    assert seeded.execute(resource["resource_id"], "[[fake: no-cost]]").json["usage"]["cost_usd"] is None
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert "cost_nanousd" not in row


def test_execute_records_the_smallest_cost_exactly(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "[[fake: price 0.00000034]]")
    assert answer.json["usage"]["cost_usd"] == "0.00000034"
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["cost_nanousd"] == {"N": "340"}


def test_execute_reads_a_chunked_answer_with_keep_alives(seeded: App) -> None:
    resource = seeded.resource()
    assert seeded.execute(resource["resource_id"], "[[fake: shred]]").status == 200
    assert seeded.execute(resource["resource_id"], "[[fake: weird]]").status == 200


def test_execute_reuses_connections(seeded: App) -> None:
    resource = seeded.resource()
    for _ in range(3):
        assert seeded.execute(resource["resource_id"]).status == 200
    upstream = seeded.module("ExecuteFunction").deps.upstream
    assert len(upstream._client._transport._pool.connections) == 1


def _change(app: App, model_id: str, **fields: Any) -> None:
    app.fake.catalog = [{**row, **fields} if row["id"] == model_id else row for row in app.fake.catalog]


def _answer(content: str) -> dict[str, Any]:
    return {
        "id": "gen-1-abc",
        "model": "meadow/lark",
        "provider": "Meadow",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.000001},
    }


def test_execution_returns_every_part_of_the_usage(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"])
    usage = answer.json["usage"]
    parts = ("cached_tokens", "reasoning_tokens", "image_tokens", "web_searches")
    assert {name: usage[name] for name in parts} == dict.fromkeys(parts, 0)
    detail = seeded.call("GET", f"/api/executions/{answer.json['execution_id']}").json
    assert detail["usage"] == usage
    (listed,) = seeded.call("GET", "/api/executions").json["data"]
    assert set(usage) - set(listed["usage"]) == set(parts)


@pytest.mark.parametrize(
    ("config", "scripted", "facts"),
    [
        (
            {"model": "anthropic/claude-haiku-4.5", "response_format": {"type": "json_object"}},
            b"[1, 2]",
            {"text": "[1, 2]"},
        ),
        ({"model": "juniper/fresco-2", "max_tokens": None}, None, {"media_types": ["image/png"]}),
    ],
    ids=["json", "image"],
)
def test_execute_stores_what_a_stream_shows_but_does_not_return_it(
    seeded: App, config: dict[str, Any], scripted: bytes | None, facts: dict[str, Any]
) -> None:
    resource_id = seeded.resource(config=config)["resource_id"]
    if scripted:
        message = {"role": "assistant", "content": scripted.decode()}
        body = {"id": "gen-1", "choices": [{"finish_reason": "stop", "message": message}]}
        seeded.fake.script(200, json.dumps(body).encode())
    answer = seeded.execute(resource_id, "[[fake: picture png]]")
    assert answer.status == 200, answer.text
    (row,) = seeded.table("EXECUTIONS_TABLE")
    detail = seeded.call("GET", f"/api/executions/{answer.json['execution_id']}")
    assert json.loads(row["answer"]["S"])["stream"] == facts
    assert "stream" not in answer.json
    assert "stream" not in detail.json
