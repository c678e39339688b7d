"""POST /api/execute: what a run answers, sends, stores and counts."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

from instant.domain.money import to_nanousd, usd_text
from tests.integration.house import GOOD_KEY, House


def test_a_run_answers_with_output_model_and_cost(furnished: House) -> None:
    resource = furnished.resource()
    answer = furnished.execute(resource["resource_id"], "Say hello.")
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


def test_a_resource_is_found_by_its_address_too(furnished: House) -> None:
    resource = furnished.resource()
    answer = furnished.call(
        "POST", "/api/execute", {"resource": resource["address"], "inputs": {"prompt": "Say hello."}}
    )
    assert answer.status == 200


def test_the_ledger_row_says_everything_about_the_run(furnished: House) -> None:
    resource = furnished.resource()
    body = furnished.execute(resource["resource_id"]).json
    (row,) = furnished.table("EXECUTIONS_TABLE")
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


def test_every_run_is_counted_once_for_its_resource(furnished: House) -> None:
    resource = furnished.resource()
    costs = [furnished.execute(resource["resource_id"]).json["usage"]["cost_usd"] for _ in range(3)]
    furnished.execute(resource["resource_id"], "[[fake: error 500]]")
    stats = furnished.call("GET", f"/api/resources/{resource['resource_id']}").json["stats"]
    assert (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"]) == (4, 3, 1)
    assert stats["cost_usd_30d"] == usd_text(sum(to_nanousd(Decimal(cost)) for cost in costs))
    assert stats["last_called_at"]


def test_upstream_gets_a_capped_request_with_the_callers_key_and_nothing_else(furnished: House) -> None:
    config = {"system_prompt": "Be brief.", "temperature": 0.2, "max_tokens": 77}
    resource = furnished.resource(config=config)
    furnished.execute(resource["resource_id"], "Say hello.")
    (sent,) = furnished.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {GOOD_KEY}"
    assert sent.headers["accept-encoding"] == "identity"
    body = sent.json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello."},
    ]
    assert (body["max_completion_tokens"], body["temperature"]) == (77, 0.2)
    assert body["user"] == sha256(b"user_alice").hexdigest()
    assert set(body) == {"model", "messages", "max_completion_tokens", "temperature", "user", "provider"}
    assert set(body["provider"]) == {"max_price"}


def test_the_length_is_capped_even_where_the_owner_set_none(furnished: House) -> None:
    resource = furnished.resource(config={"model": "meadow/lark", "max_tokens": None})
    furnished.execute(resource["resource_id"])
    assert furnished.fake.chat_requests[0].json["max_completion_tokens"] == 4096


def test_a_parameter_that_the_model_lost_is_left_out(furnished: House) -> None:
    resource = furnished.resource(config={"temperature": 0.5})
    _change(furnished, resource["ai_model_id"], supported_parameters=["max_tokens"])
    furnished.sync()
    assert furnished.execute(resource["resource_id"]).status == 200
    assert "temperature" not in furnished.fake.chat_requests[0].json


def test_anybody_may_run_a_public_resource_with_their_own_key(furnished: House) -> None:
    resource = furnished.resource(visibility="public")
    bobs = "sk-or-v1-" + "b" * 64
    furnished.connect("bob", bobs)
    assert furnished.execute(resource["resource_id"], user="bob").status == 200
    (sent,) = furnished.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {bobs}"
    (row,) = furnished.table("EXECUTIONS_TABLE")
    assert row["user_id"] == row["payer_id"] == {"S": "user_bob"}


def test_an_answer_above_8_kb_is_kept_as_an_object_and_read_back(furnished: House) -> None:
    resource = furnished.resource()
    long = "word " * 4_000
    answer = _answer(long)
    furnished.fake.script(200, json.dumps(answer).encode())
    body = furnished.execute(resource["resource_id"]).json
    assert body["output"]["content"] == long
    (row,) = furnished.table("EXECUTIONS_TABLE")
    assert "answer" not in row
    assert row["answer_key"]["S"].startswith(f"media/{body['execution_id']}/")
    detail = furnished.call("GET", f"/api/executions/{body['execution_id']}").json
    assert detail["output"]["content"] == long


def test_a_tool_call_is_an_answer(furnished: House) -> None:
    resource = furnished.resource()
    answer = furnished.execute(resource["resource_id"], "[[fake: tool-calls]]")
    assert answer.status == 200
    assert answer.json["output"]["type"] == "json"
    assert answer.json["output"]["content"]["tool_calls"][0]["name"]


def test_a_refusal_is_the_models_answer(furnished: House) -> None:
    resource = furnished.resource()
    answer = furnished.execute(resource["resource_id"], "[[fake: refusal]]")
    assert answer.status == 200
    assert answer.json["output"]["type"] == "text"


def test_an_unknown_cost_stays_unknown(furnished: House) -> None:
    resource = furnished.resource()
    assert furnished.execute(resource["resource_id"], "[[fake: no-cost]]").json["usage"]["cost_usd"] is None
    (row,) = furnished.table("EXECUTIONS_TABLE")
    assert "cost_nanousd" not in row


def test_the_smallest_real_cost_is_booked_exactly(furnished: House) -> None:
    resource = furnished.resource()
    answer = furnished.execute(resource["resource_id"], "[[fake: price 0.00000034]]")
    assert answer.json["usage"]["cost_usd"] == "0.00000034"
    (row,) = furnished.table("EXECUTIONS_TABLE")
    assert row["cost_nanousd"] == {"N": "340"}


def test_an_answer_in_shreds_or_behind_keep_alives_is_read_whole(furnished: House) -> None:
    resource = furnished.resource()
    assert furnished.execute(resource["resource_id"], "[[fake: shred]]").status == 200
    assert furnished.execute(resource["resource_id"], "[[fake: weird]]").status == 200


def test_a_connection_is_used_again(furnished: House) -> None:
    resource = furnished.resource()
    for _ in range(3):
        assert furnished.execute(resource["resource_id"]).status == 200
    upstream = furnished.module("ExecuteFunction").deps.upstream
    assert len(upstream._client._transport._pool.connections) == 1


def _change(house: House, model_id: str, **fields: Any) -> None:
    house.fake.catalog = [{**row, **fields} if row["id"] == model_id else row for row in house.fake.catalog]


def _answer(content: str) -> dict[str, Any]:
    return {
        "id": "gen-1-abc",
        "model": "meadow/lark",
        "provider": "Meadow",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.000001},
    }
