"""A streamed execution returns and records the same as a buffered one, and reports its answer while it arrives."""

import json
import re
from typing import Any

import pytest

from instant.domain.executions.delivery import streamed_text
from instant.domain.executions.output import Delta
from tests.fakes.openrouter.streams.holds import StreamHold
from tests.integration.app import EMBEDDER, EMBEDDINGS, App
from tests.integration.streams.runs import Events
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


@pytest.mark.parametrize("name", ["text", "tiny deltas", "unusual lines", "json"])
def test_stream_reports_the_text_of_its_answer(seeded: App, name: str) -> None:
    config, prompt = CALLS[name]
    streamed = stream(seeded, seeded.resource(config=config)["resource_id"], prompt)
    (row,) = seeded.table("EXECUTIONS_TABLE")
    text = streamed_text(json.loads(row["answer"]["S"]))
    assert streamed.events.text_after("") == text
    assert not any(delta.replace for delta in streamed.events.deltas)
    assert streamed.events.names[:3] == ["prepared", "started", "delta"]
    assert len(streamed.events.deltas) >= (len(text) if name == "tiny deltas" else 2) // 2


def test_stream_reports_reasoning_and_tool_calls(seeded: App) -> None:
    thought = stream(seeded, seeded.resource(config=THINKER)["resource_id"], "Think.")
    assert thought.reasoning == thought.body["output"]["reasoning"]
    called = stream(seeded, seeded.resource(config={"model": HAIKU})["resource_id"], "[[fake: tool-calls]]")
    assert called.calls == called.body["output"]["content"]["tool_calls"]
    assert called.events.text_after("") == (called.body["output"]["content"]["text"] or "")


class Releasing(Events):
    """Releases a held stream with the first piece."""

    def __init__(self, hold: StreamHold) -> None:
        """Wait for a piece."""
        super().__init__()
        self._hold = hold

    def delta(self, delta: Delta) -> None:
        super().delta(delta)
        self._hold.release()


def test_stream_reports_a_piece_before_the_next_arrives(seeded: App) -> None:
    hold = seeded.fake.hold_stream(after=1)
    assert stream(seeded, seeded.resource()["resource_id"], events=Releasing(hold)).code is None


@pytest.mark.parametrize("name", ["image", "image in words"])
def test_stream_reports_images_as_links(seeded: App, name: str) -> None:
    config, prompt = CALLS[name]
    streamed = stream(seeded, seeded.resource(config=config)["resource_id"], prompt)
    output = streamed.body["output"]
    assert streamed.events.images == [(url, "image/png") for url in output["urls"]]
    assert streamed.events.text_after("") == output["content"]
    assert not any(delta.replace or "base64" in delta.text for delta in streamed.events.deltas)


def test_type_that_is_not_read_in_pieces_reports_only_its_start(seeded: App) -> None:
    resource = seeded.resource(resource_type=EMBEDDINGS, config={"model": EMBEDDER})
    streamed = stream(seeded, resource["resource_id"], inputs={"input": "A dawn."})
    assert streamed.code is None, streamed.body
    assert streamed.events.names == ["prepared", "started"]


def test_stream_that_is_retried_reports_one_answer(seeded: App) -> None:
    for status in (503, 503):
        seeded.fake.script(status, json.dumps({"error": {"code": status, "message": "no capacity"}}).encode())
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert streamed.events.text_after("") == streamed.body["output"]["content"]
    assert streamed.events.names.count("started") == 1
    assert "idle" in streamed.events.names[: streamed.events.names.index("started")]
    assert len(seeded.fake.chat_requests) == 3
