"""A key that a service echoes, however it is encoded or split, is in no answer and no table."""

import json
import re
from typing import Any

import pytest

from tests.integration.app import GOOD_KEY, App

HALF = len(GOOD_KEY) // 2
ESCAPED = "".join(f"\\u{ord(each):04x}" for each in GOOD_KEY)
MIXED = "".join(f"\\u{ord(each):04X}" if place % 2 else each for place, each in enumerate(GOOD_KEY))
NESTED = json.dumps({"a": "K", "b": {"K": 1}}).replace("K", ESCAPED)
TWICE = json.dumps({"a": NESTED}).replace(ESCAPED, ESCAPED.replace("\\", "\\\\"))


def chat(content: Any = "ok", **more: Any) -> dict[str, Any]:
    """Return a chat completion."""
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "cost": 0.000012}
    return {
        "id": "gen-1",
        "model": "juniper/quill-7b",
        "provider": "Juniper",
        "choices": [choice],
        "usage": usage,
    } | more


def calls(arguments: Any) -> dict[str, Any]:
    """Return a chat completion with a tool call."""
    return chat(message={"tool_calls": [{"id": "1", "function": {"name": "now", "arguments": arguments}}]})


def halves(**more: str) -> list[dict[str, str]]:
    """Return the key as two parts of text."""
    return [{"type": "text", **more, "text": part} for part in (GOOD_KEY[:HALF], GOOD_KEY[HALF:])]


def sent(body: Any, key: str = ESCAPED) -> bytes:
    """Return JSON in which each K is the key, written in this way."""
    return json.dumps(body).replace('"K', f'"{key}').replace("K ", f"{key} ").encode()


REPLIES = {
    "plain": sent(chat("K"), GOOD_KEY),
    "escaped": sent(chat("K is your key")),
    "escaped in part": sent(chat("K"), MIXED),
    "parts": sent(chat(halves())),
    "parts around a blank one": sent(chat([halves()[0], {"type": "text", "text": " "}, halves()[1]])),
    "parts of reasoning around a blank one": sent(
        chat(message={"reasoning_details": [halves()[0], {"type": "text", "text": "\n"}, halves()[1]]})
    ),
    "arguments": sent(calls({"K": "K"})),
    "JSON in arguments": json.dumps(calls(NESTED)).encode(),
    "JSON in JSON in arguments": json.dumps(calls(TWICE)).encode(),
    "reasoning": sent(chat(message={"reasoning": "K"})),
    "parts of reasoning": sent(chat(message={"reasoning_details": halves()})),
    "refusal": sent(chat(message={"refusal": "K"})),
    "annotation": sent(chat(message={"annotations": [{"url_citation": {"url": "K", "title": "K", "content": "K"}}]})),
    "model and provider": sent(chat(model="K", provider="K")),
    "cut provider": sent(chat(provider="x" * 150 + "K "), ESCAPED),
    "id": sent(chat(id="K")),
    "finish reason": sent(chat(choices=[{"finish_reason": "K", "message": {"content": "ok"}}])),
}


def seen(text: str) -> str:
    """Return what a client can read in `text` that decodes all JSON in it."""
    return re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)


def leaked(app: App, *texts: str) -> list[str]:
    """Return the parts of the key, of 24 characters and more, that are in the texts or in the table of executions."""
    everything = seen(" ".join([*texts, json.dumps(app.table("EXECUTIONS_TABLE"))]))
    return [GOOD_KEY[at : at + 24] for at in range(len(GOOD_KEY) - 23) if GOOD_KEY[at : at + 24] in everything]


@pytest.mark.parametrize("name", REPLIES)
def test_answer_does_not_contain_an_echoed_key(seeded: App, name: str) -> None:
    seeded.fake.script(200, REPLIES[name])
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert answer.status == 200, answer.text
    stored = seeded.call("GET", f"/api/executions/{answer.json['execution_id']}")
    assert leaked(seeded, answer.text, stored.text) == []


@pytest.mark.parametrize("content", [NESTED, f"```json\n{NESTED}\n```"])
def test_json_answer_does_not_contain_an_echoed_key(seeded: App, content: str) -> None:
    seeded.fake.script(200, json.dumps(chat(content)).encode())
    config = {"model": "anthropic/claude-haiku-4.5", "response_format": {"type": "json_object"}}
    resource = seeded.resource(config=config)
    answer = seeded.execute(resource["resource_id"])
    assert answer.json["output"]["type"] == "json"
    assert leaked(seeded, answer.text) == []


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [{"message": "K"}, {"message": "x", "metadata": {"raw": "K", "provider_name": "K"}}])
def test_error_does_not_contain_an_echoed_key(seeded: App, status: int, body: dict[str, Any]) -> None:
    for _ in range(3):
        seeded.fake.script(status, sent({"error": {"code": status, **body}, "user_id": "K"}))
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert answer.status >= 400
    assert leaked(seeded, answer.text) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("kind", ["application/json; charset=utf-16", "text/html", "image/png"])
def test_reply_that_is_not_utf8_has_an_unknown_outcome(seeded: App, encoding: str, kind: str) -> None:
    body = json.dumps(chat(f"{GOOD_KEY} é"), ensure_ascii=False).encode(encoding)
    seeded.fake.script(200, body, {"Content-Type": kind})
    answer = seeded.execute(seeded.resource()["resource_id"])
    assert answer.code == "upstream_error"
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["state"] == {"S": "UNKNOWN"}
    assert leaked(seeded, answer.text) == []
