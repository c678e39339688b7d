"""A streamed execution returns and records the same as a buffered one, and reports its answer while it arrives."""

import json
import re
from typing import Any

import pytest

from tests.integration.app import App
from tests.integration.streams.streamed import lasting, lasting_body, stream

HAIKU = "anthropic/claude-haiku-4.5"
THINKER = {"model": HAIKU, "reasoning": {"max_tokens": 1024}, "max_tokens": 4000}
PAINTER = {"model": "juniper/fresco-2", "max_tokens": None}

CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({}, "Say hello."),
    "tiny deltas": ({}, "Say hello. [[fake: deltas 1]]"),
    "unusual lines": ({}, "Say hello. [[fake: crlf]] [[fake: shred]]"),
    "json": ({"model": HAIKU, "response_format": {"type": "json_object"}}, "1.10 and 1e2"),
    "tool calls": ({"model": HAIKU}, "[[fake: tool-calls]]"),
    "refusal": ({}, "[[fake: refusal]]"),
    "citations": ({"model": HAIKU, "web_search": {"max_uses": 1, "max_results": 1}}, "News?"),
    "image": (PAINTER, "[[fake: picture png]]"),
    "image in words": (PAINTER, "[[fake: picture png]] [[fake: in-words]]"),
    "one body for a stream": ({}, "Say hello. [[fake: plain-json]]"),
    "empty": ({}, "[[fake: empty]]"),
    "content filter": ({}, "[[fake: content-filter]]"),
    "error in the stream": ({}, "[[fake: midstream-error]]"),
    "refused": ({}, "[[fake: error 400]]"),
    "busy": ({}, "[[fake: error 503]]"),
    "compressed": ({}, "[[fake: gzip]]"),
    "no connection": ({}, "[[fake: reset]]"),
}


def without_ids(body: object) -> Any:
    """Return a copy without the ids of images, and with paths in place of absolute links."""
    text = re.sub("img_[0-9A-Z]{26}", "img", json.dumps(body))
    return lasting_body(json.loads(text.replace("https://api.example/test", "")))


@pytest.mark.parametrize("name", CALLS)
def test_stream_returns_and_records_the_same_as_a_buffered_call(seeded: App, name: str) -> None:
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    config, prompt = CALLS[name]
    resource_id = seeded.resource(config=config)["resource_id"]
    buffered = seeded.execute(resource_id, prompt).json
    streamed = stream(seeded, resource_id, prompt)
    first, second = sorted(seeded.table("EXECUTIONS_TABLE"), key=lambda row: row["created_at"]["S"])
    assert second["streamed"]
    assert lasting(second) == lasting(first)
    assert seeded.fake.chat_requests[-1].json == {**seeded.fake.chat_requests[0].json, "stream": True}
    assert without_ids(streamed.body) == without_ids(buffered)
