"""POST /v1/embeddings: vectors in both encodings, as OpenAI's clients read them."""

from array import array
from base64 import b64decode
from typing import Any

import pytest

from tests.integration.app import EMBEDDER, EMBEDDINGS, Answer, App


@pytest.fixture
def model(seeded: App) -> str:
    return str(seeded.resource(resource_type=EMBEDDINGS, config={"model": EMBEDDER})["address"])


def embed(app: App, model: str, **more: Any) -> Answer:
    """Embed two texts."""
    return app.call("POST", "/v1/embeddings", {"model": model, "input": ["one", "two"], **more})


def test_embeddings_are_the_recorded_execution(seeded: App, model: str) -> None:
    answer = embed(seeded, model)
    assert answer.status == 200, answer.text
    recorded = seeded.call("GET", f"/api/executions/{answer.json['id']}").json
    assert answer.headers["x-execution-id"] == recorded["execution_id"]
    assert [row["embedding"] for row in answer.json["data"]] == recorded["output"]["content"]["embeddings"]
    assert [(row["object"], row["index"]) for row in answer.json["data"]] == [("embedding", 0), ("embedding", 1)]
    usage = answer.json["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] == recorded["usage"]["prompt_tokens"]
    assert (answer.json["object"], answer.json["model"]) == ("list", model)
    assert f'"cost":{recorded["usage"]["cost_usd"]}' in answer.text


def test_both_encodings_have_the_same_numbers(seeded: App, model: str) -> None:
    numbers = [row["embedding"] for row in embed(seeded, model, encoding_format="float").json["data"]]
    texts = [row["embedding"] for row in embed(seeded, model, encoding_format="base64").json["data"]]
    assert [array("f", b64decode(text)).tolist() for text in texts] == numbers


def test_one_text_needs_no_list(seeded: App, model: str) -> None:
    assert len(embed(seeded, model, input="one").json["data"]) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": [[1, 2]]}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"provider": {}}, "provider"),
        ({"dimension": 3}, "dimension"),
        ({"dimensions": -1}, "dimensions"),
    ],
)
def test_wrong_fields_are_named(seeded: App, model: str, fields: dict[str, Any], field: str) -> None:
    answer = embed(seeded, model, **fields)
    assert (answer.status, answer.json["error"]["param"]) == (400, field), answer.text
    assert answer.json["error"]["message"].startswith(f"{field}: ")


def test_resource_of_another_type_is_refused_before_it_is_executed(seeded: App) -> None:
    schema = {"type": "object", "properties": {"input": {"type": "array"}}, "required": ["input"]}
    config = {"template": "{{input}}", "input_schema": schema}
    answer = embed(seeded, seeded.resource(resource_type="prompt_template", config=config)["address"])
    assert (answer.status, answer.json["error"]["param"]) == (400, "model")
    assert seeded.fake.chat_requests == []


def test_user_has_no_effect(seeded: App, model: str) -> None:
    assert embed(seeded, model, user="somebody").status == 200


def test_chat_completions_of_embeddings_are_refused_before_they_are_executed(seeded: App, model: str) -> None:
    body = {"model": model, "messages": [], "inputs": {"input": "one"}}
    answer = seeded.call("POST", "/v1/chat/completions", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "model"), answer.text
    assert seeded.table("EXECUTIONS_TABLE") == []
