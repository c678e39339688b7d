"""OpenAI's Python client, unmodified, against POST /v1/responses."""

from typing import Any

import pytest

from tests.e2e.clients.conftest import Service
from tests.e2e.clients.programs import Calls, python_client
from tests.fakes.image_samples import SOUND, data_url

pytestmark = pytest.mark.e2e


def calls_of(service: Service) -> Calls:
    """All calls, by name."""
    chat, thinker = service.model("chat"), service.model("thinker")
    plain, tools = {"model": chat, "input": "Tides?"}, "How warm is it? [[fake: tool-calls]]"
    image = {"type": "input_image", "image_url": data_url(SOUND["png"]()), "detail": "auto"}
    look = [{"role": "user", "content": [{"type": "input_text", "text": "This picture?"}, image]}]
    return {
        "text": ("respond", plain),
        "stream": ("respond_stream", plain),
        "helper": ("respond_helper", plain),
        "parse": ("respond_parse", {"model": chat, "input": "A review"}),
        "tools": ("respond_tools", {"model": thinker, "input": tools}),
        "image": ("respond", {"model": chat, "input": look}),
        "stored": ("respond", {**plain, "store": True}),
        "broken": ("respond_stream", {"model": chat, "input": "[[fake: midstream-error]]"}),
    }


@pytest.fixture(scope="module")
def facts(service: Service) -> Any:
    settings = {"base_url": service.url, "api_key": service.world.keys["alice"]}
    return python_client("openai_python.py").run(settings, calls_of(service))


def test_response_has_text_usage_and_id(facts: Any) -> None:
    found = facts["text"]
    assert "Tides" in found["output_text"]
    assert (found["status"], found["request_id"]) == ("completed", found["id"])
    usage = found["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert usage["cost"] > 0


def test_streams_have_the_same_text(facts: Any) -> None:
    events, text = facts["stream"]["events"], facts["text"]["output_text"]
    pieces = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert "".join(pieces) == facts["helper"]["output_text"] == text
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")


def test_structured_answer_is_parsed(facts: Any) -> None:
    assert set(facts["parse"]["parsed"]) == {"title", "stars"}


def test_tools_and_reasoning_go_back_as_they_were_received(facts: Any, service: Service) -> None:
    first, _ = facts["tools"]["turns"]
    kinds = [item["type"] for item in first["output"]]
    assert (kinds[0], kinds.count("function_call")) == ("reasoning", 2)
    assert facts["tools"]["output_text"] == "As I have looked up: 21 °C; noon."
    (sent,) = [body for body in service.sent("How warm is it?") if len(body["messages"]) > 1]
    assert sent["messages"][1]["reasoning_details"][0]["signature"]


def test_image_reaches_the_model(facts: Any, service: Service) -> None:
    assert facts["image"]["output_text"]
    (sent,) = service.sent("This picture?")
    assert [part["type"] for part in sent["messages"][-1]["content"]] == ["text", "image_url"]


def test_errors_are_raised(facts: Any) -> None:
    stored, broken = facts["stored"], facts["broken"]
    assert (stored["raised"], stored["status_code"], stored["param"]) == ("BadRequestError", 400, "store")
    assert (broken["raised"], broken["events"][0]["type"]) == ("APIError", "response.created")
    assert broken["body"]["execution_id"]
