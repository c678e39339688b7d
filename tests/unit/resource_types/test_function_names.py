"""Names of tools and schemas that no provider accepts are rejected when a resource is saved."""

from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.resource_types.chat_plan import check_settings
from instant.resource_types.model_settings import ModelSettings
from tests.fakes.builders import a_model

INVALID = ["天气", "wetter_für", "größe", "coding.start", "get weather", "a/b", "a\n", "\u0661", "a" * 64 + "!"]
"""Names with a character that providers reject."""


def settings(*tools: str, schema: str | None = None) -> ModelSettings:
    """Return settings with these tools and this schema."""
    config: dict[str, Any] = {"model": "a/b", "tools": [{"function": {"name": name}} for name in tools] or None}
    if schema is not None:
        config["response_format"] = {"type": "json_schema", "json_schema": {"name": schema, "schema": {}}}
    return ModelSettings.model_validate({name: value for name, value in config.items() if value is not None})


def problem_of(saved: ModelSettings) -> InvalidField:
    """Return the error of saving these settings."""
    with pytest.raises(InvalidField) as caught:
        check_settings(saved, [a_model(supported_parameters=("tools", "structured_outputs"))])
    return caught.value


@pytest.mark.parametrize("name", INVALID[:-1])
def test_name_that_providers_reject_is_rejected_when_saved(name: str) -> None:
    tool, schema = problem_of(settings("fine", name)), problem_of(settings(schema=name))
    assert tool.details == {"field": "config.tools.1.function.name"}
    assert schema.details == {"field": "config.response_format.json_schema.name"}
    assert "a-z, A-Z, 0-9, _ and -" in tool.message
    assert tool.message.split(": ")[1] == schema.message.split(": ")[1]
    assert name not in tool.message


def test_two_tools_of_one_name_are_rejected_when_saved() -> None:
    problem = problem_of(settings("a", "b", "a"))
    assert problem.details == {"field": "config.tools.2.function.name"}
    assert "tools.0" in problem.message


@pytest.mark.parametrize("name", ["now", "get_weather-2", "_", "-", "A" * 64, "9"])
def test_name_that_providers_accept_is_saved(name: str) -> None:
    check_settings(settings(name, schema=name), [a_model(supported_parameters=("tools", "structured_outputs"))])


def test_published_schema_has_the_pattern_of_names() -> None:
    shapes = ModelSettings.model_json_schema()["$defs"]
    assert shapes["FunctionName"]["pattern"] == "^[a-zA-Z0-9_-]{1,64}$"
    for shape in ("FunctionShape", "NamedFunction", "JsonSchema"):
        assert shapes[shape]["properties"]["name"] == {"$ref": "#/$defs/FunctionName"}
