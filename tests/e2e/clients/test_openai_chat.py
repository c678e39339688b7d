"""OpenAI's own clients, unmodified, against /v1: text, streams, tools, structured answers and media."""

import base64
import io
import json
import wave
from typing import Any

import pytest

from tests.e2e.clients.conftest import Sdk, Service
from tests.e2e.clients.programs import Calls
from tests.fakes.image_samples import SOUND, data_url
from tests.fakes.pdf import TEXT, page, pdf, stream

pytestmark = pytest.mark.e2e

LETTER = {"to": "a baker", "about": "yeast"}
ACCEPTED: dict[str, Any] = {
    "max_tokens": 100_000, "temperature": 0.3, "top_p": 0.9, "seed": 7, "stop": ["END"], "presence_penalty": 0.1,
    "n": 1, "store": False, "user": "somebody", "metadata": {"a": "b"}, "safety_identifier": "hash",
    "service_tier": "auto", "parallel_tool_calls": True,
}  # fmt: skip
"""Parameters that are passed on, lowered, or accepted without effect."""

USAGE = {"stream_options": {"include_usage": True}}
PDF = f"data:application/pdf;base64,{base64.b64encode(pdf(page(3, b'4 0 R'), stream(4, TEXT))).decode()}"
PNG = data_url(SOUND["png"]())


def _sound() -> str:
    """A tenth of a second of silence as a WAV file in base64."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8_000, 800, "NONE", ""))
        sound.writeframes(bytes(1_600))
    return base64.b64encode(file.getvalue()).decode()


SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "review",
        "strict": True,
        "schema": {"type": "object", "properties": {"title": {"type": "string"}, "stars": {"type": "integer"}}},
    },
}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def about(text: str, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages with a text and media."""
    return [user([{"type": "text", "text": text}, *parts] if parts else text)]


def calls_of(service: Service) -> Calls:
    """All calls, by name."""
    chat, thinker = service.model("chat"), service.model("thinker")
    turns = [
        {"role": "system", "content": "Be kind."},
        user("Hello"),
        {"role": "assistant", "content": "Good day."},
        user("Tides?"),
    ]
    plain, tools = {"model": chat, "messages": about("Tides?")}, about("How warm is it? [[fake: tool-calls]]")
    image, sound = {"type": "image_url", "image_url": {"url": PNG}}, {"data": _sound(), "format": "wav"}
    file = {"type": "file", "file": {"filename": "hello.pdf", "file_data": PDF}}
    return {
        "chat": ("chat", plain),
        "by id": ("chat", {**plain, "model": service.models["chat"]["resource_id"]}),
        "turns": ("chat", {"model": chat, "messages": turns}),
        "stream": ("stream", {**plain, **USAGE}),
        "stream without usage": ("stream", plain),
        "helper": ("helper", plain),
        "tools": ("tools", {"model": chat, "messages": tools, "streamed": False}),
        "streamed tools": ("tools", {"model": chat, "messages": tools, "streamed": True}),
        "reasoning": ("tools", {"model": thinker, "messages": tools, "streamed": False}),
        "streamed reasoning": ("tools", {"model": thinker, "messages": tools, "streamed": True}),
        "schema": ("chat", {"model": chat, "messages": about("A review"), "response_format": SCHEMA}),
        "image": ("chat", {"model": chat, "messages": about("This image?", image)}),
        "file": ("chat", {"model": chat, "messages": about("This file?", file)}),
        "audio": (
            "chat",
            {"model": chat, "messages": about("This sound?", {"type": "input_audio", "input_audio": sound})},
        ),
        "painter": ("chat", {"model": service.model("painter"), "messages": about("A cat")}),
        "template": ("chat", {"model": service.model("explainer"), "messages": about("yeast")}),
        "inputs": ("chat", {"model": service.model("letter"), "messages": [], "extra_body": {"inputs": LETTER}}),
        "accepted": ("chat", {**plain, "messages": about("Everything?"), **ACCEPTED}),
        "ignored": (
            "raw",
            {"model": service.model("steady"), "messages": about("Tides?"), "temperature": 0.3},
        ),
    }


@pytest.fixture(scope="module")
def facts(sdk: Sdk, service: Service) -> Any:
    return sdk.run(service.url, service.world.keys["alice"], calls_of(service))


def content(completion: Any) -> str:
    return str(completion["choices"][0]["message"]["content"])


def deltas(chunks: list[Any]) -> list[Any]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_completion_has_text_usage_and_id(facts: Any, service: Service) -> None:
    found = facts["chat"]
    assert "Tides" in content(found)
    assert (found["object"], found["choices"][0]["finish_reason"]) == ("chat.completion", "stop")
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert usage["cost"] > 0
    assert found["request_id"] in {run["execution_id"] for run in service.executions()} | {found["request_id"]}
    assert content(facts["by id"]) == content(found)


def test_earlier_turns_reach_the_model(facts: Any, service: Service) -> None:
    (sent,) = (body for body in service.sent("Good day.")[-1:])
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert content(facts["turns"]) == content(facts["chat"])


def test_stream_has_the_same_text(facts: Any) -> None:
    for name in ("stream", "stream without usage"):
        chunks = facts[name]["chunks"]
        assert "".join(delta.get("content") or "" for delta in deltas(chunks)) == content(facts["chat"])
        assert [delta.get("role") for delta in deltas(chunks)].count("assistant") == 1
        reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
        assert [reason for reason in reasons if reason] == ["stop"]
        assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1


def test_stream_ends_with_usage_if_it_is_asked_for(facts: Any) -> None:
    last = facts["stream"]["chunks"][-1]
    assert (last["choices"], last["usage"]) == ([], facts["chat"]["usage"])
    assert not any(chunk.get("usage") for chunk in facts["stream without usage"]["chunks"])


def test_helper_of_the_client_joins_the_stream(facts: Any) -> None:
    message = facts["helper"]["choices"][0]["message"]
    assert (message["role"], message["content"]) == ("assistant", content(facts["chat"]))


@pytest.mark.parametrize("name", ["tools", "streamed tools", "reasoning", "streamed reasoning"])
def test_parallel_tool_calls_and_their_results(facts: Any, name: str) -> None:
    first, second = facts[name]["turns"]
    calls = first["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["get_weather", "get_time"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"place": "How warm is it?"}] * 2
    assert first["choices"][0]["finish_reason"] == "tool_calls"
    assert content(second) == "As I have looked up: 21 °C; noon."


@pytest.mark.parametrize("name", ["reasoning", "streamed reasoning"])
def test_reasoning_comes_in_its_own_field_and_goes_back_unchanged(facts: Any, service: Service, name: str) -> None:
    message = facts[name]["turns"][0]["choices"][0]["message"]
    (detail,) = message["reasoning_details"]
    assert detail["signature"]
    sent = [body["messages"][1] for body in service.sent(detail["signature"])]
    assert [turn["reasoning_details"] for turn in sent] == [[detail]] * len(sent)
    assert sent


def test_structured_answer_matches_its_schema(facts: Any) -> None:
    assert set(json.loads(content(facts["schema"]))) == {"title", "stars"}


@pytest.mark.parametrize(("name", "kind"), [("image", "image_url"), ("file", "file"), ("audio", "input_audio")])
def test_media_reach_the_model(facts: Any, service: Service, name: str, kind: str) -> None:
    assert content(facts[name])
    words = {"audio": "This sound?"}.get(name, f"This {name}?")
    parts = [part for body in service.sent(words) for part in body["messages"][-1]["content"]]
    assert kind in {part["type"] for part in parts}


def test_generated_images_are_links(facts: Any, service: Service) -> None:
    (image,) = facts["painter"]["choices"][0]["message"]["images"]
    assert image["image_url"]["url"].startswith(f"{service.world.stack.url}/api/images/")


def test_last_user_message_fills_a_template_with_one_input(facts: Any, service: Service) -> None:
    assert "Explain yeast to a baker" in content(facts["template"])


def test_inputs_of_the_body_fill_a_template(facts: Any) -> None:
    assert "Tell a baker about yeast" in content(facts["inputs"])


def test_parameters_are_passed_on_within_the_caps_of_the_owner(facts: Any, service: Service) -> None:
    assert content(facts["accepted"])
    for sent in service.sent("Everything?"):
        assert (sent["temperature"], sent["top_p"], sent["seed"], sent["stop"]) == (0.3, 0.9, 7, ["END"])
        assert 400 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
        assert not sent.keys() & {"n", "store", "safety_identifier"}


def test_parameters_that_a_model_lacks_are_named(facts: Any) -> None:
    assert facts["ignored"]["headers"]["x-ignored-parameters"] == "temperature"
