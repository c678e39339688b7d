"""Fake chat completions: validation, answers, and cost."""

import base64
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.chat.image import png_bytes
from tests.unit.fakes.conftest import Ask

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}}}


def exactly(answer: httpx.Response) -> Any:
    return json.loads(answer.text, parse_float=Decimal)


def message(answer: httpx.Response) -> Any:
    return answer.json()["choices"][0]["message"]


def error_code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["error"]["code"] == answer.status_code
    return answer.status_code, answer.json()["error"]["message"]


def test_chat_body_starts_with_blank_lines(ask: Ask) -> None:
    answer = ask("Hello")
    assert answer.content.startswith(b"\n         \n")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["X-Generation-Id"] == answer.json()["id"]


def test_chat_answer_is_determined_by_the_prompt(ask: Ask) -> None:
    first, again, other = (message(ask(text))["content"] for text in ("Tides?", "Tides?", "Why do cats purr?"))
    assert first == again != other
    assert "Why do cats purr" in other


def test_chat_returns_the_canonical_slug_as_model(ask: Ask) -> None:
    body = ask("Hello", model="anthropic/claude-haiku-4.5").json()
    assert (body["model"], body["provider"]) == ("anthropic/claude-4.5-haiku-20251001", "Amazon Bedrock")


@pytest.mark.parametrize("model", ["juniper/thirds-3x", "meadow/bargain-bin", "meadow/lark-mini:free"])
def test_chat_cost_is_price_times_tokens(ask: Ask, openrouter: FakeOpenRouter, model: str) -> None:
    usage = exactly(ask("Tell me about tides.", model=model))["usage"]
    pricing = next(row["pricing"] for row in openrouter.catalog if row["id"] == model)
    tokens = {"prompt": usage["prompt_tokens"], "completion": usage["completion_tokens"], "request": 1}
    cost = sum(Decimal(pricing.get(key, "0")) * amount for key, amount in tokens.items())
    assert abs(usage["cost"] - cost) < Decimal("1e-20")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_chat_charges_a_long_prompt_at_the_override_price(ask: Ask) -> None:
    usage = exactly(ask("long " * 200_000, model="anthropic/claude-sonnet-4.5"))["usage"]
    assert usage["cost_details"]["upstream_inference_prompt_cost"] == usage["prompt_tokens"] * Decimal("0.000006")


def test_chat_truncates_the_answer_at_the_token_limit(ask: Ask) -> None:
    body = ask("Tell me about tides.", max_completion_tokens=3).json()
    assert (body["choices"][0]["finish_reason"], body["usage"]["completion_tokens"]) == ("length", 3)
    assert len(message(ask("Tell me about tides.", max_completion_tokens=3))["content"]) == 12


def test_chat_reasoning_can_use_the_whole_token_limit(ask: Ask) -> None:
    choice = ask("Tell me about tides.", model="openai/gpt-5-mini", max_completion_tokens=5).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    assert choice["message"]["reasoning"]


def test_chat_ignores_unsupported_parameters(ask: Ask) -> None:
    uncut = ask("Tell me about tides.", model="meadow/silent-cap", max_completion_tokens=1, temperature=9).json()
    assert uncut["choices"][0]["finish_reason"] == "stop"
    required = {"require_parameters": True}
    status, words = error_code(ask("Hello", model="openai/gpt-5-mini", temperature=1, provider=required))
    assert (status, words.split(".")[0]) == (404, "No endpoints found that can handle the requested parameters")


@pytest.mark.parametrize(
    ("model", "more", "status", "words"),
    [
        ("nobody/nothing", {}, 400, "nobody/nothing is not a valid model ID"),
        ("openai/gpt-5-nano:batch", {}, 404, "only available through the Batch API"),
        ("juniper/quill-7b", {"tools": [TOOL]}, 404, "No endpoints found that support tool use."),
        ("meadow/lark", {"modalities": ["image", "text"]}, 404, "output modalities: image, text"),
        ("northwind/compass-embed-small", {}, 404, "output modalities: text"),
        ("juniper/quill-7b", {"max_completion_tokens": 8_192}, 400, "maximum context length is 8192 tokens"),
        ("meadow/lark", {"provider": {"max_price": {"completion": 0.5}}}, 404, "No endpoints found for meadow/lark"),
        ("meadow/lark", {"messages": []}, 400, "Input required"),
        ("meadow/lark", {"max_completion_tokens": "many"}, 400, "Invalid request parameters"),
        ("", {}, 400, "No models provided"),
    ],
)
def test_chat_rejects_invalid_requests(ask: Ask, model: str, more: dict[str, Any], status: int, words: str) -> None:
    told, said = error_code(ask("Hello", model=model, **more))
    assert told == status
    assert words in said


def test_chat_rejects_images_for_a_model_without_image_input(ask: Ask) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    messages = [{"role": "user", "content": parts}]
    assert error_code(ask("", messages=messages)) == (404, "No endpoints found that support image input")
    assert "What is it" in message(ask("", messages=messages, model="openai/gpt-4o-mini"))["content"]


def test_chat_returns_400_for_a_body_that_is_not_json(client: httpx.Client) -> None:
    assert error_code(client.post("/chat/completions", content=b"{")) == (400, "Invalid request parameters")


@pytest.mark.parametrize(
    ("model", "served"),
    [
        ("openrouter/auto", "meadow/lark-mini-"),
        ("~meadow/lark-latest", "meadow/lark-2"),
        ("meadow/lark:nitro", "meadow/lark-2"),
        ("openrouter/free", "meadow/lark-mini-"),
    ],
)
def test_chat_serves_routers_and_aliases_by_a_concrete_model(ask: Ask, model: str, served: str) -> None:
    body = exactly(ask("Hello", model=model))
    assert body["model"].startswith(served)
    assert body["usage"]["cost"] >= 0


def test_chat_uses_a_fallback_when_the_first_model_fails(ask: Ask) -> None:
    assert ask("Hello", models=["meadow/lark"], model="faulty/always-503").json()["model"].startswith("meadow/lark-2")
    assert ask("Hello", model="faulty/always-503").status_code == 503


def test_chat_calls_a_required_tool(ask: Ask) -> None:
    choice = ask("In Bern?", tools=[TOOL], tool_choice="required").json()["choices"][0]
    function = choice["message"]["tool_calls"][0]["function"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert (function["name"], list(json.loads(function["arguments"]))) == ("weather", ["city"])


def test_chat_calls_a_named_tool(ask: Ask) -> None:
    tools = [TOOL, {"type": "function", "function": {"name": "clock"}}]
    named = {"type": "function", "function": {"name": "clock"}}
    (called,) = message(ask("In Bern?", tools=tools, tool_choice=named))["tool_calls"]
    assert called["function"] == {"name": "clock", "arguments": "{}"}
    both = message(ask("In Bern? [[fake: tool-calls]]", tools=tools))["tool_calls"]
    assert [(item["index"], item["function"]["name"]) for item in both] == [(0, "weather"), (1, "clock")]


def test_chat_structured_output_matches_the_schema(ask: Ask) -> None:
    properties = {"kind": {"enum": ["cat", "dog"]}, "tags": {"type": "array"}, "age": {"type": "integer"}}
    schema = {"type": "object", "properties": properties}
    wanted = {"type": "json_schema", "json_schema": {"name": "pet", "schema": schema}}
    pet = json.loads(message(ask("A pet", response_format=wanted))["content"])
    assert (pet["kind"], pet["age"], type(pet["tags"])) == ("cat", 7, list)


def test_chat_reasoning_can_be_hidden_or_enabled(ask: Ask) -> None:
    quiet, loud = ({"model": "anthropic/claude-haiku-4.5", "reasoning": wish} for wish in ({"effort": "none"}, {}))
    assert message(ask("Tides?", **quiet))["reasoning"] is None
    assert message(ask("Tides?", **loud))["reasoning"] is None
    thinking = {**quiet, "reasoning": {"effort": "low"}}
    assert message(ask("Tides?", **thinking))["reasoning_details"][0]["type"] == "reasoning.text"
    hidden = ask("Tides?", **{**quiet, "reasoning": {"effort": "low", "exclude": True}}).json()
    assert hidden["choices"][0]["message"]["reasoning"] is None
    assert hidden["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_chat_image_model_returns_images_when_modalities_request_them(ask: Ask) -> None:
    assert "images" not in message(ask("A cat", model="google/gemini-2.5-flash-image"))
    painted = ask("A cat", model="google/gemini-2.5-flash-image", modalities=["image", "text"])
    kind, data = message(painted)["images"][0]["image_url"]["url"].split(",")
    assert (kind, base64.b64decode(data)) == ("data:image/png;base64", png_bytes())
    assert painted.json()["usage"]["completion_tokens_details"]["image_tokens"] == 1290
