"""The list of resource types returns the schemas for their forms."""

from instant.resource_types import RESOURCE_TYPES
from tests.integration.app import App


def test_type_list_returns_schemas_without_authentication(app: App) -> None:
    answer = app.call("GET", "/api/resource-types", user=None)
    assert answer.status == 200
    resource_types = {resource_type["name"]: resource_type for resource_type in answer.json["data"]}
    assert set(resource_types) == set(RESOURCE_TYPES)
    assert (answer.json["total"], answer.json["next_cursor"]) == (len(resource_types), None)
    for resource_type in resource_types.values():
        assert resource_type["description"]
        assert (resource_type["config_schema"]["type"], resource_type["config_schema"]["additionalProperties"]) == (
            "object",
            False,
        )
        assert resource_type["inputs_schema"]["type"] == "object"


def test_openrouter_instant_schema_describes_its_form_fields(app: App) -> None:
    (resource_type,) = (
        k for k in app.call("GET", "/api/resource-types").json["data"] if k["name"] == "openrouter_instant"
    )
    assert resource_type["integration"] == "openrouter"
    config, inputs = resource_type["config_schema"], resource_type["inputs_schema"]
    assert config["required"] == ["model"]
    assert {"temperature", "max_tokens", "stop", "system_prompt"} <= set(config["properties"])
    number = next(each for each in config["properties"]["temperature"]["anyOf"] if each["type"] == "number")
    assert (number["minimum"], number["maximum"]) == (0, 2)
    assert set(inputs["properties"]) == {"images", "messages", "prompt"}
    assert [each["required"] for each in inputs["oneOf"]] == [["prompt"], ["messages"]]


def test_type_list_rejects_query_parameters(app: App) -> None:
    answer = app.call("GET", "/api/resource-types", query={"name": "x"})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "name")
