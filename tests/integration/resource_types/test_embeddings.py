"""`openrouter_embeddings` over HTTP: created, previewed, executed in both encodings, recorded, and delivered."""

import json
import struct
from base64 import b64decode
from typing import Any

import pytest

from tests.fakes.openrouter.api.embeddings import DIMENSIONS, vector
from tests.integration.app import CHEAP_MODEL, EMBEDDER, EMBEDDINGS, Answer, App
from tests.integration.media import objects


def create(app: App, **config: Any) -> str:
    created = app.resource(resource_type=EMBEDDINGS, config={"model": EMBEDDER, **config})
    return str(created["resource_id"])


def embed(app: App, resource_id: str, texts: object, *, key: str = "", **more: Any) -> Answer:
    inputs = {"input": texts, **more.pop("inputs", {})}
    headers = {"Idempotency-Key": key} if key else {}
    return app.call("POST", "/api/execute", {"resource_id": resource_id, "inputs": inputs, **more}, headers=headers)


def sent(app: App) -> list[Any]:
    return [each.json for each in app.fake.requests if each.path.endswith("/embeddings")]


def rows(app: App) -> list[tuple[str, str | None]]:
    """Return state and cost of every execution."""
    found = app.table("EXECUTIONS_TABLE")
    return [(row["state"]["S"], row.get("cost_nanousd", {}).get("N")) for row in found]


@pytest.fixture
def embedder(seeded: App) -> str:
    return create(seeded, overridable=["dimensions"])


def test_embeddings_type_is_listed_with_its_schemas(seeded: App) -> None:
    kinds = {kind["name"]: kind for kind in seeded.call("GET", "/api/resource-types").json["data"]}
    assert kinds[EMBEDDINGS]["integration"] == "openrouter"
    assert set(kinds[EMBEDDINGS]["config_schema"]["properties"]) == {
        "model", "dimensions", "input_type", "provider", "overridable",
    }  # fmt: skip
    assert set(kinds[EMBEDDINGS]["inputs_schema"]["properties"]) == {"input", "encoding_format"}


def test_embeddings_resource_is_shown_with_its_model_and_badges(seeded: App, embedder: str) -> None:
    shown = seeded.call("GET", f"/api/resources/{embedder}").json
    assert (shown["resource_type"], shown["ai_model_id"], shown["model_status"]) == (EMBEDDINGS, EMBEDDER, "ok")
    assert shown["badges"] == ["customizable"]
    assert seeded.call("GET", f"/api/models/{EMBEDDER}").json["usable"] is True


@pytest.mark.parametrize(
    ("config", "field", "problem"),
    [
        ({"model": CHEAP_MODEL}, "config.model", "makes no embeddings"),
        ({"model": "northwind/compass-rerank"}, "config.model", "makes no embeddings"),
        ({"model": "no/such-model"}, "config.model", "not in the catalog"),
        ({"temperature": 1}, "config.temperature", "not a known field"),
    ],
)
def test_embeddings_resource_rejects_what_it_cannot_use(
    seeded: App, config: dict[str, Any], field: str, problem: str
) -> None:
    body = {"resource_type": EMBEDDINGS, "name": "E", "config": {"model": EMBEDDER, **config}}
    answer = seeded.call("POST", "/api/resources", body)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert problem in answer.json["error"]["message"]


def test_embeddings_are_returned_as_numbers(seeded: App, embedder: str) -> None:
    answer = embed(seeded, embedder, ["One.", "Two."])
    assert answer.status == 200, answer.text
    assert answer.json["output"] == {
        "type": "json",
        "content": {"embeddings": [vector(text, DIMENSIONS) for text in ("One.", "Two.")], "dimensions": DIMENSIONS},
    }
    assert answer.json["model"].startswith(f"{EMBEDDER}-"), "the whole id, which OpenRouter does not report"
    usage = answer.json["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["cost_usd"]) == (2, 0, "0.00000004")
    (body,) = sent(seeded)
    assert (body["encoding_format"], body["input"]) == ("base64", ["One.", "Two."])


def test_embeddings_are_returned_in_base64_and_in_other_dimensions(seeded: App, embedder: str) -> None:
    answer = embed(seeded, embedder, "One.", inputs={"encoding_format": "base64"}, overrides={"dimensions": 32})
    (coded,), dimensions = answer.json["output"]["content"].values()
    assert dimensions == 32
    assert [*struct.unpack("<32f", b64decode(coded))] == vector("One.", 32)


def test_embeddings_preview_shows_the_request_and_its_worst_case(seeded: App) -> None:
    inputs = {"input": ["One.", "Two."], "encoding_format": "base64"}
    body = {"resource_type": EMBEDDINGS, "config": {"model": EMBEDDER, "dimensions": 32}, "inputs": inputs}
    shown = seeded.call("POST", "/api/resources/preview", body).json
    assert shown["request"] == {"model": EMBEDDER, "input": ["One.", "Two."], "dimensions": 32}
    assert shown["worst_case_usd"] == "0.00000656"
    assert sent(seeded) == []


def test_embeddings_estimate_counts_texts_beyond_the_context(seeded: App) -> None:
    usage = {"prompt_tokens": 100_000, "completion_tokens": 0}
    answer = seeded.call("POST", "/api/models/estimate", {"model": EMBEDDER, **usage})
    (estimate,) = answer.json["data"]
    worst = "0.00200512"  # 256 tokens more
    assert (estimate["usable"], estimate["expected_usd"], estimate["worst_usd"]) == (True, "0.002", worst)


def test_embeddings_cost_is_recorded_once_and_compared_with_the_catalog(seeded: App, embedder: str) -> None:
    first, second = (embed(seeded, embedder, "One. [[fake: price 0.00001]]", key="order-1") for _ in range(2))
    assert (first.status, first.text) == (200, second.text)
    assert (len(sent(seeded)), rows(seeded)) == (1, [("DONE", "10000")])
    found = seeded.call("GET", f"/api/executions/{first.json['execution_id']}").json
    assert (found["output"], found["usage"]["cost_usd"]) == (first.json["output"], "0.00001")
    total = seeded.call("GET", "/api/usage", query={"by": "model"}).json["total"]
    assert (total["cost_usd"], total["drift"]["computed_usd"]) == ("0.00001", "0.00000014")


def test_embeddings_without_a_reported_cost_have_an_unknown_cost(seeded: App, embedder: str) -> None:
    answer = embed(seeded, embedder, "One. [[fake: no-cost]]")
    assert (answer.status, answer.json["usage"]["cost_usd"]) == (200, None)


def test_embeddings_are_limited_by_the_cap_of_a_call(seeded: App, embedder: str) -> None:
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.01"})
    capped = embed(seeded, embedder, ["x" * 30_000] * 20)
    fits = embed(seeded, embedder, ["x" * 30_000] * 16)
    assert (capped.code, fits.status, len(sent(seeded))) == ("cost_cap", 200, 1)


def test_embeddings_exclude_providers_above_the_cap(seeded: App, embedder: str) -> None:
    seeded.call("PUT", "/api/budgets", {"scope": "user", "daily_usd": "1", "monthly_usd": None})
    dear = {"prompt": "0.00000003", "completion": "0"}
    seeded.fake.catalog = [{**row, "pricing": dear} if row["id"] == EMBEDDER else row for row in seeded.fake.catalog]
    assert embed(seeded, embedder, "One.").code in {"cost_cap", "model_unavailable"}
    assert rows(seeded) == [("FAILED", "0")]


@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ("error 400", "upstream_error"),
        ("error 400 context", "too_large"),
        ("error 401", "upstream_unavailable"),
        ("error 402", "credits_exhausted"),
        ("error 429", "rate_limited"),
        ("error 503", "upstream_unavailable"),
        ("200-error", "upstream_error"),
        ("not-json", "upstream_error"),
        ("truncated", "outcome_unknown"),
        ("error 524", "outcome_unknown"),
    ],
)
def test_embeddings_failures_have_the_errors_of_chat(seeded: App, embedder: str, directive: str, code: str) -> None:
    answer = embed(seeded, embedder, f"One. [[fake: {directive}]]")
    chat = seeded.execute(seeded.resource()["resource_id"], f"One. [[fake: {directive}]]")
    assert (answer.code, answer.status) == (code, chat.status)
    assert chat.code == code
    assert len({*rows(seeded)}) == 1, "both are recorded alike"


def test_embeddings_that_do_not_fit_are_a_failure_with_its_cost(seeded: App, embedder: str) -> None:
    data = [{"object": "embedding", "embedding": [0.5], "index": 0}]
    usage = {"prompt_tokens": 2, "total_tokens": 2, "cost": 0.000002, "is_byok": False}
    seeded.fake.script(200, json.dumps({"data": data, "model": "m", "usage": usage, "id": "gen-emb-1"}).encode())
    answer = embed(seeded, embedder, ["One.", "Two."])
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert "1 for 2 texts" in answer.json["error"]["message"]
    assert rows(seeded) == [("FAILED", "2000")]


def test_embeddings_that_a_provider_returns_as_numbers_are_read(seeded: App, embedder: str) -> None:
    text = '{"data":[{"embedding":[0.1,-2e-3],"index":0}],"model":"m","usage":{"prompt_tokens":1,"cost":1e-7}}'
    seeded.fake.script(200, text.encode())
    answer = embed(seeded, embedder, "One.")
    assert answer.json["output"]["content"] == {"embeddings": [[0.1, -0.002]], "dimensions": 2}
    assert answer.json["usage"]["cost_usd"] == "0.0000001"


def test_embeddings_tokens_are_rejected_by_name(seeded: App, embedder: str) -> None:
    answer = embed(seeded, embedder, [[1, 2, 3]])
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "inputs.input")
    assert "tokens are not supported" in answer.json["error"]["message"]
    assert sent(seeded) == []


@pytest.mark.parametrize(("encoding", "dimensions"), [("float", 800), ("base64", 2_400)])
def test_embeddings_of_a_large_batch_are_delivered_by_url(seeded: App, encoding: str, dimensions: int) -> None:
    texts = [f"Text {number}." for number in range(512)]
    inputs = {"encoding_format": encoding}
    answer = embed(seeded, create(seeded, dimensions=dimensions), texts, inputs=inputs, key="large")
    assert answer.json["error"]["code"] == "too_large"
    assert (answer.json["success"], answer.json["output"]["content"]) == (True, None)
    path = f"/api/executions/{answer.json['execution_id']}/output"
    assert seeded.call("GET", path, query={"part": "content"}).status == 302
    stored = json.loads(objects(seeded)[f"media/outputs/{answer.json['execution_id']}/content.json"]["Body"])
    assert (len(stored["embeddings"]), stored["dimensions"]) == (512, dimensions)
    last = stored["embeddings"][-1]
    numbers = last if encoding == "float" else [*struct.unpack(f"<{dimensions}f", b64decode(last))]
    assert numbers == vector(texts[-1], dimensions)
