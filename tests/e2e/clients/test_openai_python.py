"""What only OpenAI's Python client does: parsed answers, the asynchronous client, and streams that are closed early."""

from typing import Any

import pytest

from tests.e2e.clients.conftest import Service
from tests.e2e.clients.programs import Calls, python_client

pytestmark = pytest.mark.e2e

TIMES = 4


@pytest.fixture(scope="module")
def facts(service: Service) -> Any:
    asked = {"model": service.model("chat"), "messages": [{"role": "user", "content": "A review of the tides"}]}
    broken = {**asked, "messages": [{"role": "user", "content": "A tale [[fake: midstream-error]]"}]}
    calls: Calls = {
        "parse": ("parse", asked),
        "concurrent": ("concurrent", {"times": TIMES, **asked}),
        "broken": ("stream", broken),
    }
    return python_client("openai_python.py").run(
        {"base_url": service.url, "api_key": service.world.keys["alice"]}, calls
    )


def test_answer_is_parsed_into_a_pydantic_model(facts: Any) -> None:
    assert set(facts["parse"]["parsed"]) == {"title", "stars"}


def test_asynchronous_calls_and_streams_run_side_by_side(facts: Any) -> None:
    found = facts["concurrent"]
    assert len(set(found["answers"] + found["streams"])) == 1
    assert (len(found["answers"]), len(found["streams"])) == (TIMES, TIMES)
    assert found["answers"][0]


def test_stream_that_breaks_raises_after_its_text(facts: Any) -> None:
    found = facts["broken"]
    assert any(choice["delta"].get("content") for chunk in found["chunks"] for choice in chunk["choices"])
    assert (found["raised"], found["code"], found["type"]) == ("APIError", "upstream_error", "api_error")
