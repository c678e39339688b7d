"""A conversation goes on after a streamed turn: its tool calls and its signed reasoning are sent back unchanged."""

from typing import Any

import pytest

from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import Prepared
from tests.integration.app import App
from tests.integration.streams.runs import Events
from tests.integration.streams.streamed import stream

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


class Plans(Events):
    """A listener that also keeps the plans."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[Plan] = []

    def prepared(self, prepared: Prepared) -> None:
        super().prepared(prepared)
        self.plans.append(prepared.plan)


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4.5", "openai/gpt-5-mini"])
def test_conversation_goes_on_after_a_streamed_turn_of_a_client_of_openai(seeded: App, model: str) -> None:
    resource_id = seeded.resource(config={"model": model})["resource_id"]
    prompt = "[[fake: tool-calls]] [[fake: deltas 3]] What is the weather in Rome?"
    overrides = {"tools": [TOOL], "reasoning": {"effort": "low"}, "top_k": 5, "max_tokens": 10**6}
    first = stream(seeded, resource_id, prompt, overrides=overrides, compatible=True)
    output = first.body["output"]
    said: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "tool_calls": output["content"]["tool_calls"],
        "reasoning_details": output["reasoning_details"],
    }
    result = {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": "Sunny, 24 degrees."}
    messages = [{"role": "user", "content": prompt}, said, result]
    call = {"resource_id": resource_id, "inputs": {"messages": messages}}
    second = seeded.call("POST", "/api/execute", call)
    assert second.status == 200, second.text
    assert "Sunny, 24 degrees." in second.json["output"]["content"]
    assert first.calls == said["tool_calls"]
    assert seeded.fake.chat_requests[1].json["messages"][1]["reasoning_details"] == output["reasoning_details"]


def test_stream_of_a_client_of_openai_names_what_is_ignored(seeded: App) -> None:
    resource_id = seeded.resource(config={"model": "openai/gpt-5-mini", "max_tokens": 50})["resource_id"]
    plans = Plans()
    overrides = {"temperature": 1, "top_p": 1, "seed": 7}
    stream(seeded, resource_id, overrides=overrides, compatible=True, events=plans)
    assert [plan.ignored for plan in plans.plans] == [("temperature", "top_p")]
    sent = seeded.fake.chat_requests[0].json
    assert (sent["seed"], sent["max_completion_tokens"]) == (7, 50)
