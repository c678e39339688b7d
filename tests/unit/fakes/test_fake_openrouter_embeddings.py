"""POST /embeddings of the fake: deterministic vectors in both encodings, usage, and errors."""

import struct
from base64 import b64decode
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.api.embeddings import DIMENSIONS, vector
from tests.unit.fakes.test_fake_openrouter_conformance import (
    REAL,
    key_paths,
    recorded,
    specified,
    unknown_paths,
)

EMBEDDER = "northwind/compass-embed-small"


def embed(client: httpx.Client, given: object, **more: Any) -> httpx.Response:
    return client.post("/embeddings", json={"model": EMBEDDER, "input": given, **more})


def test_embeddings_depend_only_on_the_text(client: httpx.Client) -> None:
    first, second = (embed(client, given).json() for given in (["One.", "Two."], "Two."))
    assert [row["embedding"] for row in first["data"]] == [vector(text, DIMENSIONS) for text in ("One.", "Two.")]
    assert first["data"][1]["embedding"] == second["data"][0]["embedding"]
    assert [row["index"] for row in first["data"]] == [0, 1]


def test_embeddings_have_the_same_numbers_in_base64(client: httpx.Client) -> None:
    (row,) = embed(client, "One.", encoding_format="base64", dimensions=32).json()["data"]
    assert [*struct.unpack("<32f", b64decode(row["embedding"]))] == vector("One.", 32)


def test_embeddings_cost_what_the_catalog_says(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    answer = embed(client, "x" * 400).json()
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] == 100
    assert Decimal(repr(answer["usage"]["cost"])) == Decimal("0.000002")
    openrouter.release_generations()
    record = client.get("/generation", params={"id": answer["id"]}).json()["data"]
    assert (record["total_cost"], record["tokens_prompt"]) == (answer["usage"]["cost"], 100)


@pytest.mark.parametrize("given", [[1, 2, 3], [[1, 2], [3]]])
def test_embeddings_of_tokens_are_returned(client: httpx.Client, given: list[Any]) -> None:
    rows = embed(client, given).json()["data"]
    assert len(rows) == (1 if given == [1, 2, 3] else 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "meadow/lark"}, 400),
        ({"model": "no/such"}, 400),
        ({"input": ""}, 400),
        ({"input": []}, 400),
        ({"input": ["a", ""]}, 400),
        ({"input": None}, 400),
        ({"dimensions": 1_000_000}, 400),
        ({"input": "x" * 40_000}, 400),
        ({"input": "[[fake: error 429]]"}, 429),
        ({"input": ["a", "[[fake: error 503]]"]}, 503),
        ({"provider": {"max_price": {"prompt": "0.01"}}}, 404),
    ],
)
def test_embeddings_invalid_call_is_an_error(client: httpx.Client, body: dict[str, Any], status: int) -> None:
    answer = client.post("/embeddings", json={"model": EMBEDDER, "input": "x", **body})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


@pytest.mark.skipif(not REAL.exists(), reason="the recordings are not available")
def test_embeddings_have_the_recorded_and_only_known_keys(client: httpx.Client) -> None:
    sent = set(key_paths(embed(client, "One.").json()))
    assert recorded("23-embeddings.response.json") <= sent
    known = specified("post", "/embeddings", "200") | recorded("23-embeddings.response.json")
    assert unknown_paths(sent, known) == set()
