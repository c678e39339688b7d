"""OpenRouter's own Python package accepts what the fake OpenRouter returns: its types are those of the real one."""

from typing import Any

import pytest

from tests.e2e.clients.programs import python_client
from tests.fakes.openrouter import FakeOpenRouter

pytestmark = pytest.mark.e2e

MODELS = ("meadow/lark", "openai/gpt-5-mini", "anthropic/claude-sonnet-4.5")
MAX_TOKENS = 400


def asked(model: str, prompt: str) -> dict[str, Any]:
    thinking = {"reasoning": {"effort": "low"}} if model != "meadow/lark" else {}
    return {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_TOKENS, **thinking}


@pytest.fixture(scope="module")
def facts() -> Any:
    """What the package returned for a completion and a stream of each model, and for faults."""
    with FakeOpenRouter() as fake:
        fake.catalog = [row for row in fake.catalog if "supported_voices" in row]
        calls: dict[str, tuple[str, dict[str, Any]]] = {"models": ("models", {"limit": 20})}
        for model in MODELS:
            calls[f"chat {model}"] = ("chat", asked(model, "Tides?"))
            calls[f"stream {model}"] = ("stream", asked(model, "Tides?"))
        calls["tools"] = ("stream", asked("meadow/lark", "Tides? [[fake: tool-calls]]"))
        calls["refused"] = ("chat", asked("meadow/lark", "Tides? [[fake: error 402]]"))
        calls["broken"] = ("stream", asked("meadow/lark", "Tides? [[fake: midstream-error]]"))
        settings = {"server_url": fake.url, "api_key": "sk-or-v1-0123456789abcdef"}
        found = python_client("openrouter_python.py").run(settings, calls)
        return {**found, "catalog": [row["id"] for row in fake.catalog]}


@pytest.mark.parametrize("model", MODELS)
def test_streamed_completion_is_the_buffered_one(facts: Any, model: str) -> None:
    message, chunks = facts[f"chat {model}"]["choices"][0]["message"], facts[f"stream {model}"]["chunks"]
    for key in ("content", "reasoning"):
        pieces = [chunk["choices"][0]["delta"].get(key) or "" for chunk in chunks]
        assert "".join(pieces) == (message[key] or "")
    assert chunks[-1]["usage"] == facts[f"chat {model}"]["usage"]


def test_pages_of_the_catalog_are_read(facts: Any) -> None:
    rows = [row["id"] for row in facts["models"]["rows"]]
    assert len(rows) > 20
    assert set(rows) <= set(facts["catalog"])


def test_pieces_of_tool_calls_are_read(facts: Any) -> None:
    pieces = [call for chunk in facts["tools"]["chunks"] for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert "".join(piece["function"]["arguments"] for piece in pieces) == '{"q":"Tides?"}'


def test_errors_are_those_of_the_package(facts: Any) -> None:
    assert (facts["refused"]["raised"], facts["refused"]["status_code"]) == ("PaymentRequiredResponseError", 402)
    assert facts["broken"]["chunks"][-1]["error"]["code"] == 502
