"""Recorded OpenRouter responses, replayed byte for byte through the execute path."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.app import GOOD_KEY, ROOT, App

RECORDED = ROOT.parent / "shared" / "data" / "openrouter" / "recorded"
INDEX = RECORDED / "INDEX.json"

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason="the recordings are not here")

ANSWERS = [
    "01-chat-text",
    "02-chat-tools-turn-1",
    "02-chat-tools-turn-2",
    "04-chat-json-schema",
    "10-chat-web-search-annotations",
    "11-chat-web-search-exa",
    "13-chat-pdf-native",
]
ERRORS = {
    "19-error-401": (409, "credential_rejected"),
    "20-error-400-context-length": (413, "too_large"),
    "22-error-403-provider-region": (502, "upstream_error"),
}
QUOTED = {
    "402-not-enough-for-max-tokens": (409, "credits_exhausted"),
    "403-key-limit": (409, "credits_exhausted"),
    "429-free-tier-daily": (429, "rate_limited"),
    "404-no-endpoint-with-tools": (409, "model_unavailable"),
    "404-batch-only-model": (409, "model_unavailable"),
    "400-provider-raw": (502, "upstream_error"),
    "401-revoked-or-deleted-key": (409, "credential_rejected"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_recorded_answer_parses_output_cost_model_and_provider(seeded: App, name: str) -> None:
    raw = (RECORDED / f"{name}.response.json").read_bytes()
    real = json.loads(raw)
    entry = _entry(f"{name}.response.json")
    seeded.fake.script(entry["status"], raw, headers=_headers(entry))
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert answer.status == 200, answer.text
    body, choice = answer.json, real["choices"][0]
    assert body["model"] == real["model"]
    assert body["provider"] == real["provider"]
    assert body["finish_reason"] == choice["finish_reason"]
    assert float(body["usage"]["cost_usd"]) == pytest.approx(real["usage"]["cost"], rel=1e-9)
    assert body["usage"]["prompt_tokens"] == real["usage"]["prompt_tokens"]
    assert _text(body["output"]) == choice["message"]["content"]
    calls = choice["message"].get("tool_calls") or []
    if calls:
        names = [call["name"] for call in body["output"]["content"]["tool_calls"]]
        assert names == [call["function"]["name"] for call in calls]
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["generation_id"]["S"] == real["id"]


@pytest.mark.parametrize(("name", "expected"), ERRORS.items())
def test_recorded_error_parses_its_code(seeded: App, name: str, expected: tuple[int, str]) -> None:
    entry = _entry(f"{name}.response.json")
    raw = Path(RECORDED, f"{name}.response.json").read_bytes()
    seeded.fake.script(entry["status"], raw, headers=_headers(entry))
    if expected[1] == "credential_rejected":
        seeded.fake.revoked_keys.add(GOOD_KEY)  # a 401 alone is verified with the key check
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert (answer.status, answer.code) == expected
    assert "user_" not in answer.text


@pytest.mark.parametrize(("name", "expected"), QUOTED.items())
def test_quoted_error_parses_its_code(seeded: App, name: str, expected: tuple[int, str]) -> None:
    bodies = json.loads((RECORDED / "quoted-bodies.json").read_text())["bodies"]
    quoted = next(body for body in bodies if body["name"] == name)
    seeded.fake.script(quoted["status"], json.dumps(quoted["body"]).encode())
    if expected[1] == "credential_rejected":
        seeded.fake.revoked_keys.add(GOOD_KEY)  # a 401 alone is verified with the key check
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert (answer.status, answer.code) == expected
    assert "MASKED" not in answer.text


def _entry(file: str) -> Any:
    return next(entry for entry in json.loads(INDEX.read_text()) if entry["file"] == file)


def _headers(entry: Any) -> dict[str, str]:
    unsent = {"transfer-encoding", "content-length", "content-encoding", "date", "connection"}
    return {name: value for name, value in (entry.get("headers") or {}).items() if name not in unsent}


def _text(output: dict[str, Any]) -> Any:
    return output["content"]["text"] if output["type"] == "json" else output["content"]
