"""The kinds of resources, with the schemas that forms are drawn from."""

from instant.resource_types import RESOURCE_TYPES
from tests.integration.house import House


def test_every_type_shows_its_schemas_to_anybody(house: House) -> None:
    answer = house.call("GET", "/api/resource-types", user=None)
    assert answer.status == 200
    kinds = {kind["name"]: kind for kind in answer.json["data"]}
    assert set(kinds) == set(RESOURCE_TYPES)
    assert (answer.json["total"], answer.json["next_cursor"]) == (len(kinds), None)
    for kind in kinds.values():
        assert kind["description"]
        assert (kind["config_schema"]["type"], kind["config_schema"]["additionalProperties"]) == ("object", False)
        assert kind["inputs_schema"]["type"] == "object"


def test_the_schema_of_openrouter_instant_draws_its_form(house: House) -> None:
    (kind,) = (k for k in house.call("GET", "/api/resource-types").json["data"] if k["name"] == "openrouter_instant")
    assert kind["integration"] == "openrouter"
    config, inputs = kind["config_schema"], kind["inputs_schema"]
    assert config["required"] == ["model"]
    assert {"temperature", "max_tokens", "stop", "system_prompt"} <= set(config["properties"])
    number = next(each for each in config["properties"]["temperature"]["anyOf"] if each["type"] == "number")
    assert (number["minimum"], number["maximum"]) == (0, 2)
    assert (inputs["required"], set(inputs["properties"])) == (["prompt"], {"images", "prompt"})


def test_types_take_no_query(house: House) -> None:
    answer = house.call("GET", "/api/resource-types", query={"name": "x"})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "name")
