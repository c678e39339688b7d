"""OpenAI's own clients, unmodified, against /v1: models and embeddings."""

import base64
import struct
from typing import Any

import pytest

from tests.e2e.clients.conftest import RESOURCES, Sdk, Service
from tests.e2e.clients.programs import Calls

pytestmark = pytest.mark.e2e

TEXTS = ["High tide", "Low tide"]


def calls_of(service: Service) -> Calls:
    """All calls, by name."""
    compass = service.model("compass")
    return {
        "models": ("models", {}),
        "model": ("retrieve", {"model": service.model("chat")}),
        "by id": ("retrieve", {"model": service.models["chat"]["resource_id"]}),
        "missing": ("retrieve", {"model": "nobody/nothing"}),
        "one": ("embed", {"model": compass, "input": TEXTS[0]}),
        "several": ("embed", {"model": compass, "input": TEXTS}),
        "floats": ("embed", {"model": compass, "input": TEXTS, "encoding_format": "float"}),
        "encoded": ("embed", {"model": compass, "input": TEXTS, "encoding_format": "base64"}),
    }


@pytest.fixture(scope="module")
def facts(sdk: Sdk, service: Service) -> Any:
    return sdk.run(service.url, service.world.keys["alice"], calls_of(service))


def test_models_are_the_own_and_public_resources(facts: Any, service: Service) -> None:
    rows = {row["id"]: row for row in facts["models"]["rows"]}
    assert {service.model(slug) for slug in RESOURCES} <= set(rows)
    assert {(row["object"], type(row["created"])) for row in rows.values()} == {("model", int)}
    assert all(row["owned_by"] for row in rows.values())


def test_model_is_found_by_its_address_in_one_segment(facts: Any, service: Service) -> None:
    assert facts["model"]["id"] == service.model("chat")
    assert facts["model"] in facts["models"]["rows"]


def test_model_is_found_by_its_resource_id(facts: Any) -> None:
    assert facts["by id"]["created"] == facts["model"]["created"]


def test_missing_model_is_not_found(facts: Any) -> None:
    found = facts["missing"]
    assert (found["raised"], found["status_code"], found["code"]) == ("NotFoundError", 404, "model_not_found")


def test_embeddings_are_decoded_by_default(facts: Any) -> None:
    vectors = [row["embedding"] for row in facts["several"]["data"]]
    assert [row["index"] for row in facts["several"]["data"]] == [0, 1]
    assert vectors[0] == facts["one"]["data"][0]["embedding"] != vectors[1]
    assert vectors == [row["embedding"] for row in facts["floats"]["data"]]
    assert all(isinstance(number, float | int) for number in vectors[0])
    assert facts["several"]["usage"]["total_tokens"] > 0


def test_embeddings_stay_encoded_on_request(facts: Any) -> None:
    vectors = [base64.b64decode(row["embedding"]) for row in facts["encoded"]["data"]]
    floats = [struct.unpack(f"<{len(vector) // 4}f", vector) for vector in vectors]
    assert [list(each) for each in floats] == [row["embedding"] for row in facts["floats"]["data"]]
