"""Tools, the choice of one, and formats: flat in a request for a response, nested in settings."""

from typing import Annotated, Any, Literal

from instant.domain.errors import InvalidField
from instant.domain.validation import parse
from instant.entrypoints.http.fields import Body, JsonObject
from instant.entrypoints.openai.parameters import Ignored, Refused


class FunctionTool(Body):
    """A function that the model can call."""

    type: Literal["function"]
    name: Any
    description: Any = None
    parameters: Any = None
    strict: Any = None
    defer_loading: Annotated[Any, Ignored((False,), "tools are sent at once")] = None
    allowed_callers: Annotated[Any, Ignored((["direct"],), "only the model calls functions")] = None
    output_schema: Annotated[Any, Refused("describe the result in the description")] = None


class ChosenFunction(Body):
    """The function that the model must call."""

    type: Literal["function"]
    name: Any


def sent_tool(tool: JsonObject, where: str) -> JsonObject:
    """A tool as a setting; others than functions are refused by their type."""
    _check_type(tool, where)
    read = parse(FunctionTool, tool, where)
    function = read.model_dump(include={"name", "description", "parameters", "strict"}, exclude_none=True)
    return {"type": "function", "function": function}


def sent_choice(choice: Any, where: str) -> Any:
    """The choice as a setting: one word, or a function."""
    if not isinstance(choice, dict):
        return choice
    _check_type(choice, where)
    return {"type": "function", "function": {"name": parse(ChosenFunction, choice, where).name}}


def sent_format(form: JsonObject | None) -> JsonObject | None:
    """The format as a setting."""
    if form is None or form.get("type") != "json_schema":
        return form
    schema = {name: value for name, value in form.items() if name != "type" and value is not None}
    return {"type": "json_schema", "json_schema": schema}


def _check_type(value: JsonObject, where: str) -> None:
    if value.get("type") != "function":
        raise InvalidField.named(f"{where}.type", "must be function; built-in tools are not available")
