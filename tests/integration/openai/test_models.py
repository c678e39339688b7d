"""GET /v1/models: the caller's own resources and public ones, as models that clients can read."""

from typing import Any

import pytest

from instant.domain.resources.resource import Resource, Visibility
from instant.use_cases.resources.executable import MAX_EXECUTABLE
from tests.fakes.builders import a_resource
from tests.integration.app import CHEAP_MODEL, EMBEDDER, EMBEDDINGS, Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.resource_stores import a_resource_store

OPENAI = {"id", "object", "created", "owned_by"}
OPENROUTER = {
    *("id", "canonical_slug", "name", "created", "context_length", "architecture", "pricing", "top_provider"),
    *("per_request_limits", "supported_parameters", "supported_voices", "default_parameters", "links"),
}
"""The fields that the clients require."""


def models(app: App, *, user: str = "alice", scopes: str = "execute", **query: str) -> Answer:
    """List the models."""
    return app.call("GET", "/v1/models", user=user, scopes=scopes, query=query)


def names(app: App, **more: Any) -> list[str]:
    """Return the names of the listed models."""
    answer = models(app, **more)
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.json["data"]]


def put(app: App, number: int, owner: str = "user_alice", *, public: bool = True, **more: Any) -> Resource:
    """Store a resource whose creation time is derived from `number`."""
    resource = a_resource(
        f"res_{number:026d}",
        owner_id=owner,
        name=f"Number {number}",
        slug=f"number-{number}",
        visibility=Visibility.PUBLIC if public else Visibility.PRIVATE,
        created_at=f"2026-01-01T00:00:00.{number:06d}Z",
        **{"ai_model_id": CHEAP_MODEL, **more},
    )
    a_resource_store(app).create(resource)
    return resource


def test_row_has_the_fields_that_clients_require(seeded: App) -> None:
    resource = seeded.resource(description="Says hello.")
    answer = models(seeded)
    (row,) = answer.json["data"]
    assert (answer.json["object"], answer.json["total_count"], answer.json["links"]) == ("list", 1, {"next": None})
    assert row.keys() >= OPENAI | OPENROUTER
    assert (row["id"], row["object"], row["owned_by"]) == (
        resource["address"],
        "model",
        resource["address"].split("/")[0],
    )
    assert (row["description"], row["model"], row["resource_id"]) == (
        *("Says hello.", CHEAP_MODEL, resource["resource_id"]),
    )
    catalog = seeded.call("GET", f"/api/models/{CHEAP_MODEL}").json
    assert (row["context_length"], row["supported_parameters"]) == (
        *(catalog["context_length"], catalog["supported_parameters"]),
    )
    assert row["pricing"] == catalog["pricing"]
    assert row["top_provider"]["max_completion_tokens"] == catalog["max_tokens"]
    details = row["links"]["details"].removeprefix("https://api.example/test")
    assert seeded.call("GET", details).json["address"] == row["id"]


def test_row_shows_no_settings(seeded: App) -> None:
    seeded.resource(config={"system_prompt": "You are a secret."})
    assert "secret" not in models(seeded, scopes="execute read").text


def test_own_resources_come_first_then_public_ones_each_once(app: App) -> None:
    put(app, 1, public=False)
    put(app, 2)
    put(app, 3, "user_bob")
    put(app, 4, "user_bob", public=False)
    assert names(app) == ["Number 2", "Number 1", "Number 3"]
    assert names(app, user="bob") == ["Number 4", "Number 3", "Number 2"]
    assert names(app, user="carol") == ["Number 3", "Number 2"]


def test_deleted_resources_are_not_listed(seeded: App) -> None:
    seeded.call("DELETE", f"/api/resources/{seeded.resource()['resource_id']}")
    assert names(seeded) == []


def test_list_has_at_most_a_thousand_models(app: App) -> None:
    for number in range(MAX_EXECUTABLE - 1):
        put(app, number, public=False)
    for number in range(MAX_EXECUTABLE, MAX_EXECUTABLE + 3):
        put(app, number, "user_bob")
    answer = models(app)
    assert (len(answer.json["data"]), answer.json["total_count"]) == (MAX_EXECUTABLE, MAX_EXECUTABLE)
    assert answer.json["data"][-1]["name"] == f"Number {MAX_EXECUTABLE + 2}"


def test_list_is_read_in_few_batches(seeded: App) -> None:
    for number in range(120):
        put(seeded, number, "user_bob", ai_model_id=f"author/model-{number}")
    put(seeded, 200, public=False)
    models(seeded)
    with recorded("dynamodb") as calls:
        assert models(seeded).json["total_count"] == 121
    assert sorted(operations(calls)) == ["BatchGetItem", "BatchGetItem", "Query", "Query"]


@pytest.mark.parametrize(
    ("query", "expected", "following"),
    [
        ({"offset": "0", "limit": "500"}, ["Number 2", "Number 1", "Number 0"], None),
        ({"limit": "2"}, ["Number 2", "Number 1"], "offset=2&limit=2"),
        ({"offset": "2", "limit": "2"}, ["Number 0"], None),
        ({"offset": "3"}, [], None),
    ],
)
def test_list_has_pages_as_clients_of_openrouter_ask_for_them(
    app: App, query: dict[str, str], expected: list[str], following: str | None
) -> None:
    for number in range(3):
        put(app, number)
    answer = models(app, **query)
    assert [row["name"] for row in answer.json["data"]] == expected
    link = f"https://api.example/test/v1/models?{following}" if following else None
    assert (answer.json["links"]["next"], answer.json["total_count"]) == (link, 3)


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": "0"}, "limit"), ({"offset": "-1"}, "offset"), ({"q": "a"}, "q")]
)
def test_other_queries_are_refused_by_name(app: App, query: dict[str, str], field: str) -> None:
    answer = models(app, **query)
    assert (answer.status, answer.json["error"]["param"]) == (400, field)


def test_model_that_left_the_catalog_has_no_facts(app: App) -> None:
    put(app, 1, ai_model_id="nobody/gone")
    (row,) = models(app).json["data"]
    assert (row["context_length"], row["pricing"]) == (None, {"prompt": "-1", "completion": "-1"})
    assert row.keys() >= OPENAI | OPENROUTER


def test_embeddings_are_listed(seeded: App) -> None:
    seeded.resource(resource_type=EMBEDDINGS, config={"model": EMBEDDER})
    (row,) = models(seeded).json["data"]
    assert row["architecture"]["output_modalities"] == ["embeddings"]


def paths(resource: Resource) -> list[str]:
    """Return the paths of a model."""
    return [f"/v1/models/{part}" for part in (resource.address.replace("/", "%2F"), resource.address)]


@pytest.mark.parametrize("place", [0, 1], ids=["encoded", "plain"])
def test_model_by_its_address_is_the_listed_row(seeded: App, place: int) -> None:
    path = paths(put(seeded, 1))[place]
    assert seeded.call("GET", path).json == models(seeded).json["data"][0]


def test_model_by_its_id_is_the_listed_row(seeded: App) -> None:
    resource = put(seeded, 1, public=False)
    assert seeded.call("GET", f"/v1/models/{resource.resource_id}").json == models(seeded).json["data"][0]


def test_private_model_of_another_user_is_not_found(seeded: App) -> None:
    resource = put(seeded, 1, public=False)
    for path in (*paths(resource), f"/v1/models/{resource.resource_id}", "/v1/models/gpt-4o", "/v1/models/a/b.c"):
        answer = seeded.call("GET", path, user="bob")
        assert (answer.status, answer.code, answer.headers["x-should-retry"]) == (404, "model_not_found", "false")
