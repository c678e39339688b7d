"""OpenRouter's own Python package, unmodified, against /v1: its strict types accept what the service returns."""

from typing import Any

import pytest

from tests.e2e.clients.conftest import RESOURCES, Service
from tests.e2e.clients.programs import Calls, python_client

pytestmark = pytest.mark.e2e


def asked(service: Service, text: str, slug: str = "chat") -> dict[str, Any]:
    return {"model": service.model(slug), "messages": [{"role": "user", "content": text}]}


def run(service: Service, calls: Calls, key: str = "", **more: Any) -> Any:
    settings = {"server_url": service.url, "api_key": key or service.world.keys["alice"], "timeout_ms": 600_000}
    return python_client("openrouter_python.py").run({**settings, **more}, calls)


@pytest.fixture(scope="module")
def facts(service: Service) -> Any:
    calls: Calls = {
        "chat": ("chat", asked(service, "Tides?")),
        "stream": ("stream", asked(service, "Tides?")),
        "thinker": ("stream", asked(service, "Tides?", "thinker")),
        "painter": ("chat", asked(service, "A cat", "painter")),
        "models": ("models", {}),
        "pages": ("models", {"limit": 2}),
        "embed": ("embed", {"model": service.model("compass"), "input": ["High tide", "Low tide"]}),
        "missing": ("chat", {**asked(service, "Hello"), "model": "nobody/nothing"}),
        "broken": ("stream", asked(service, "A tale [[fake: midstream-error]]")),
    }
    return run(service, calls)


def test_completion_and_stream_have_the_same_text(facts: Any) -> None:
    text = facts["chat"]["choices"][0]["message"]["content"]
    deltas = [choice["delta"] for chunk in facts["stream"]["chunks"] for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == text
    assert "Tides" in text
    assert facts["chat"]["usage"]["cost"] > 0


def test_stream_has_reasoning_in_its_own_field(facts: Any) -> None:
    deltas = [choice["delta"] for chunk in facts["thinker"]["chunks"] for choice in chunk["choices"]]
    assert "Tides" in "".join(delta.get("reasoning") or "" for delta in deltas)
    assert any(detail for delta in deltas for detail in delta.get("reasoning_details") or [])


def test_generated_images_are_read(facts: Any) -> None:
    (image,) = facts["painter"]["choices"][0]["message"]["images"]
    assert image["image_url"]["url"].startswith("http")


@pytest.mark.parametrize("name", ["models", "pages"])
def test_rows_of_models_are_read_page_by_page(facts: Any, service: Service, name: str) -> None:
    found = [row["id"] for row in facts[name]["rows"]]
    assert {service.model(slug) for slug in RESOURCES} <= set(found)
    assert len(found) == len(set(found))


def test_embeddings_are_lists_of_numbers(facts: Any) -> None:
    first, second = (row["embedding"] for row in facts["embed"]["data"])
    assert first != second
    assert all(isinstance(number, float) for number in first)


def test_errors_have_their_status_and_body(facts: Any) -> None:
    assert facts["missing"]["status_code"] == 404
    assert "model_not_found" in facts["missing"]["body"]


def test_stream_that_breaks_raises(facts: Any) -> None:
    assert facts["broken"]["raised"] == "ResponseValidationError"


def test_token_that_is_not_valid_is_refused(service: Service) -> None:
    found = run(service, {"refused": ("chat", asked(service, "Hello"))}, key="x4k_live_nobody")
    assert found["refused"]["status_code"] == 401


def test_unknown_outcome_is_not_repeated_by_default(service: Service) -> None:
    text = "OpenRouter's package loses its answer [[fake: hang-up]]"
    found = run(service, {"lost": ("chat", asked(service, text))}, retries=True)
    assert (found["lost"]["raised"], found["lost"]["status_code"]) == ("OpenRouterDefaultError", 409)
    assert len(service.sent(text)) == 1
