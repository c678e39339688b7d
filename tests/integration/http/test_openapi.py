"""The OpenAPI document is generated from the routes, and its examples are executed."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from instant.domain.error_bodies.classes import every_error
from instant.entrypoints.executions.event_stream import EVENTS_SCHEMA
from instant.entrypoints.openapi import PLACE
from tests.architecture.project import ROOT, functions
from tests.integration.app import App
from tests.integration.local.test_example_events import STORY
from tests.openapi.__main__ import is_current
from tests.openapi.answers import answer_content, answers, shown

DOCUMENT: Any = json.loads(PLACE.read_text())
OPERATIONS = {
    (m.upper(), path): operation for path, found in DOCUMENT["paths"].items() for m, operation in found.items()
}


FAILURES = ("error 400 context", "error 402", "error 429", "hang-up")


def conforms(schema: dict[str, Any], value: Any) -> None:
    """Assert that a value matches a schema of the document."""
    complete = {**schema, "components": DOCUMENT["components"]}
    errors = [f"{error.instance_path}: {error.message}" for error in jsonschema_rs.iter_errors(complete, value)]
    assert errors == []


def test_openapi_document_is_current() -> None:
    assert is_current(), "run: make openapi"


def test_openapi_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_openapi_routes_match_the_template_and_the_tests() -> None:
    declared = {route for function in functions() for route in function.routes}
    events = [json.loads((ROOT / "events" / f"{case}.json").read_text()) for case, status in STORY.items() if status]
    assert OPERATIONS.keys() == declared == {(event["httpMethod"], event["resource"]) for event in events}


def test_openapi_path_parameters_match_the_path() -> None:
    for (_, path), operation in OPERATIONS.items():
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), path


def test_openapi_operation_ids_are_unique_and_everything_has_a_description() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
    for route, operation in OPERATIONS.items():
        assert operation["description"], route
        assert operation["tags"], route


def test_openapi_errors_share_one_shape_and_list_every_code() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    native, openai = (
        set(schemas[name]["properties"]["error"]["properties"]["code"]["enum"]) for name in ("Error", "OpenaiError")
    )
    assert native == {kind.code for kind in every_error()}
    assert openai - native == {"context_length_exceeded", "insufficient_quota", "model_not_found"}
    assert "ValidationError" not in json.dumps(DOCUMENT)
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            assert (int(status) >= 400) == ("$ref" in answer)


def test_openapi_public_routes_match_routes_without_an_authorizer() -> None:
    is_open = {route for route, operation in OPERATIONS.items() if operation["security"] == []}
    models = {
        "/api/models",
        "/api/models/{author}/{slug}",
        "/api/models/{author}/{slug}/endpoints",
        "/api/models/{author}/{slug}/history",
        "/api/models/changes",
    }
    paths = models | {"/api/openapi.json", "/api/resource-types"}
    assert is_open == {("GET", path) for path in paths} | {("POST", "/api/models/estimate")}


def test_openapi_responses_describe_every_field() -> None:
    for route, operation in OPERATIONS.items():
        for status, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            if "text/event-stream" in answer.get("content", {}):
                ends = ("`done`", "`data: [DONE]`", "`response.completed`")
                assert any(end in answer["description"] for end in ends), route
            elif status in {"200", "201", "202"} and route[1] != "/api/openapi.json":
                assert "$ref" in schema, route


def test_openapi_examples_run_and_responses_match_their_schemas(app: App) -> None:
    ran = set()
    for case, event, answer in answers(app):
        ran.add((event["httpMethod"], event["resource"]))
        assert answer.status == STORY[case], (case, answer.text)
        content = answer_content(DOCUMENT, event, answer)
        if content is None or case == "catalog/openapi":
            continue
        example = content["examples"][case.split("/")[1]]["value"]
        conforms(content["schema"], example)
        if content["schema"] == EVENTS_SCHEMA:
            assert example == shown(answer)
            continue
        conforms(content["schema"], answer.json)
        assert example.keys() == shown(answer).keys()
    assert ran == OPERATIONS.keys()


@pytest.mark.parametrize("route", OPERATIONS, ids=" ".join)
def test_openapi_request_examples_match_their_schemas(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    for example in (content or {}).get("examples", {}).values():
        conforms(content["schema"], example["value"])
    for parameter in operation.get("parameters", []):
        for example in parameter.get("examples", {}).values():
            conforms(parameter["schema"], example["value"])
    assert content is None or content["examples"]


def test_openapi_error_responses_match_their_schemas(seeded: App) -> None:
    schema = {"$ref": "#/components/schemas/Error"}
    for answer in (
        seeded.call("GET", "/api/resources/none"),
        seeded.call("GET", "/api/resources", query={"sort": "worst"}),
        seeded.call("POST", "/api/resources", raw="{"),
        seeded.call("POST", "/api/resources", {}, scopes=""),
        seeded.execute(seeded.resource()["resource_id"], "[[fake: error 400]]"),
    ):
        assert answer.status >= 400
        conforms(schema, answer.json)


def test_openapi_error_responses_of_openai_routes_match_their_schemas(seeded: App) -> None:
    schema, model = {"$ref": "#/components/schemas/OpenaiError"}, seeded.resource()["address"]
    chats = [{"model": model, "messages": [{"role": "user", "content": f"[[fake: {each}]]"}]} for each in FAILURES]
    bodies: list[Any] = [*chats, {"model": model, "messages": [], "n": 2}, {"model": "gpt-4o", "messages": []}]
    for answer in (
        *(seeded.call("POST", "/v1/chat/completions", body) for body in bodies),
        seeded.call("POST", "/v1/responses", {"model": model, "input": "hello", "store": True}),
        seeded.call("GET", "/v1/models/none"),
        seeded.call("GET", "/v1/models", query={"limit": "0"}),
        seeded.call("POST", "/v1/chat/completions", raw="{"),
        seeded.call("POST", "/v1/embeddings", {}, scopes=""),
    ):
        assert answer.status >= 400
        conforms(schema, answer.json)


def test_openapi_document_is_served_unchanged_without_authentication(app: App) -> None:
    served = app.call("GET", "/api/openapi.json", user=None)
    assert (served.status, served.headers["Content-Type"]) == (200, "application/json")
    assert served.text == PLACE.read_text()
    assert "max-age" in served.headers["Cache-Control"]
