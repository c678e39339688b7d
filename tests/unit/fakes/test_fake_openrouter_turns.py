"""Later turns: results of tools, and reasoning that must come back unchanged."""

from typing import Any

import pytest

from tests.unit.fakes.conftest import Ask

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"properties": {"q": {"type": "string"}}}}}
CLAUDE = "anthropic/claude-sonnet-4.5"


def first_turn(ask: Ask, **more: Any) -> list[dict[str, Any]]:
    """The messages of a conversation up to the tool call of the model."""
    prompt = "How warm is it? [[fake: tool-calls]]"
    answer = ask(prompt, tools=[TOOL], **more).json()["choices"][0]["message"]
    return [{"role": "user", "content": prompt}, answer]


def result(message: dict[str, Any], content: Any = "21 °C") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": content}


@pytest.mark.parametrize("content", ["21 °C", [{"type": "text", "text": "21 °C"}]])
def test_model_answers_with_the_results_of_its_tools(ask: Ask, content: Any) -> None:
    messages = first_turn(ask)
    answer = ask("", messages=[*messages, result(messages[-1], content)], tools=[TOOL]).json()["choices"][0]
    assert (answer["message"]["content"], answer["finish_reason"]) == ("As I have looked up: 21 °C.", "stop")


def test_model_calls_tools_again_for_a_new_question(ask: Ask) -> None:
    messages = first_turn(ask)
    later = [*messages, result(messages[-1]), {"role": "user", "content": "And now? [[fake: tool-calls]]"}]
    assert ask("", messages=later, tools=[TOOL]).json()["choices"][0]["message"]["tool_calls"]


def test_call_without_its_result_is_rejected(ask: Ask) -> None:
    messages = first_turn(ask)
    for later in (messages, [*messages, {"role": "user", "content": "So?"}]):
        refused = ask("", messages=later)
        assert refused.status_code == 400
        assert "call_look_up_1" in refused.json()["error"]["metadata"]["raw"]


def test_result_without_its_call_is_rejected(ask: Ask) -> None:
    messages = first_turn(ask)
    for lonely in ([messages[0], result(messages[1])], [*messages, result(messages[1]), result(messages[1])]):
        assert ask("", messages=lonely).status_code == 400


def test_signed_reasoning_must_come_back_unchanged(ask: Ask) -> None:
    question, answer = first_turn(ask, model=CLAUDE, reasoning={"effort": "low"})
    (detail,) = answer["reasoning_details"]
    spoiled = ({**detail, "text": "Otherwise."}, {**detail, "signature": "x"}, {**detail, "signature": None})
    for details, status in ((detail, 200), *((each, 400) for each in spoiled)):
        messages = [question, {**answer, "reasoning_details": [details]}, result(answer)]
        assert ask("", messages=messages, model=CLAUDE).status_code == status
