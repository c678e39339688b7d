"""POST /api/preview shows the request that would be sent and its worst-case cost, and has no side effect."""

import json
from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.aws_calls import recorded

MODEL = "meadow/lark-mini"
DRAFT = {
    "resource_type": "prompt_template",
    "config": {
        "model": MODEL,
        "template": "Write about {{subject}}.",
        "input_schema": {"type": "object", "properties": {"subject": {"type": "string"}}, "required": ["subject"]},
        "system_prompt": "Be brief.",
        "max_tokens": 50,
        "overridable": ["max_tokens"],
    },
    "inputs": {"subject": "the {{sea}}"},
}


def preview(app: App, body: dict[str, Any], **more: Any) -> Answer:
    """Request a preview and assert that nothing is written or sent."""
    with recorded("dynamodb") as calls:
        answer = app.call("POST", "/api/resources/preview", body, **more)
    assert {call.operation for call in calls} <= {"BatchGetItem", "GetItem", "Query"}
    assert app.fake.chat_requests == []
    return answer


def test_preview_renders_a_draft(seeded: App) -> None:
    answer = preview(seeded, DRAFT)
    assert answer.status == 200, answer.text
    assert answer.json["request"] == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Write about the {{sea}}."},
        ],
        "stream": False,
        "max_completion_tokens": 50,
    }
    assert float(answer.json["worst_case_usd"]) > 0
    assert answer.json["inputs_schema"]["properties"] == {"subject": {"type": "string"}}
    assert seeded.table("RESOURCES_TABLE") == []


def test_preview_accepts_the_overrides_of_an_execution(seeded: App) -> None:
    shorter = preview(seeded, {**DRAFT, "overrides": {"max_tokens": 10}})
    assert shorter.json["request"]["max_completion_tokens"] == 10
    assert shorter.json["worst_case_usd"] < preview(seeded, DRAFT).json["worst_case_usd"]
    for lax in ("10", True, 10.5):
        refused = preview(seeded, {**DRAFT, "overrides": {"max_tokens": lax}})
        assert (refused.status, refused.json["error"]["details"]["field"]) == (422, "overrides.max_tokens")
    refused = preview(seeded, {**DRAFT, "overrides": {"temperature": 1}})
    assert (refused.status, refused.json["error"]["details"]["field"]) == (422, "overrides.temperature")


def test_preview_shows_the_request_that_is_sent(seeded: App) -> None:
    resource = seeded.resource(config={"temperature": 0.5, "provider": {"sort": "price"}})
    call = {"resource_id": resource["resource_id"], "inputs": {"prompt": "Say hello."}}
    shown = preview(seeded, call).json["request"]
    assert seeded.call("POST", "/api/execute", call).status == 200
    sent = json.loads(seeded.fake.chat_requests[0].body)
    assert sent.pop("user")
    assert sent["provider"].pop("max_price")
    assert shown == sent


def test_preview_requires_no_key(app: App) -> None:
    app.sync()
    assert preview(app, DRAFT).status == 200


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_preview_of_a_foreign_resource_returns_not_found(seeded: App, visibility: str) -> None:
    resource = seeded.resource(visibility=visibility)
    inputs = {"inputs": {"prompt": "hello"}}
    foreign = preview(seeded, {"resource_id": resource["resource_id"], **inputs}, user="bob")
    missing = preview(seeded, {"resource_id": "res_00000000000000000000000000", **inputs}, user="bob")
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign == missing


@pytest.mark.parametrize("scopes", ["execute", ""])
def test_preview_requires_the_read_scope(seeded: App, scopes: str) -> None:
    answer = preview(seeded, DRAFT, scopes=scopes)
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"inputs": {}}, "inputs.subject"),
        ({"inputs": {"subject": 1}}, "inputs.subject"),
        ({"inputs": {"subject": "x", "more": 1}}, "inputs.more"),
        ({"resource_type": "telepathy"}, "resource_type"),
        ({"config": {**DRAFT["config"], "model": "no/such"}}, "config.model"),  # type: ignore[dict-item]
        ({"config": {**DRAFT["config"], "template": "{{other}}"}}, "config.template"),  # type: ignore[dict-item]
        ({"config": {**DRAFT["config"], "max_tokens": 0}}, "config.max_tokens"),  # type: ignore[dict-item]
        ({"resource_id": "res_1"}, "body"),
        ({"config": None}, "body"),
        ({"resource_type": None}, "body"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_preview_rejects_what_execute_rejects(seeded: App, change: dict[str, Any], field: str) -> None:
    answer = preview(seeded, {**DRAFT, **change})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_preview_reports_a_removed_model(seeded: App) -> None:
    resource = seeded.resource()
    seeded.retire(resource["ai_model_id"])
    answer = preview(seeded, {"resource_id": resource["resource_id"], "inputs": {"prompt": "hello"}})
    assert (answer.status, answer.code) == (409, "model_unavailable")
    detail = seeded.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert (detail["model_status"], detail["model"]["is_active"]) == ("gone", False)


def test_preview_rejects_a_request_too_long_to_show(seeded: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instant.use_cases.executions.preview.MAX_BYTES", 100)
    answer = preview(seeded, {**DRAFT, "inputs": {"subject": "x" * 200}})
    assert (answer.status, answer.code) == (413, "too_large")
