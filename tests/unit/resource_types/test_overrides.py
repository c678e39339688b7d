"""Overrides of clients of OpenAI: open by default, lowered to the owner's limits, ignored where a model lacks them."""

import json
from typing import Any

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.resource_types.model_settings import DEFAULT_MAX_TOKENS
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.overrides import OPEN, UNLESS_SET
from instant.resource_types.prompt_template import last_user_text_input
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": {"type": "object"}}}
VALUES: dict[str, Any] = {
    "max_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 40,
    "top_a": 0.1,
    "min_p": 0.1,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "repetition_penalty": 1.1,
    "seed": 7,
    "stop": ["END"],
    "verbosity": "low",
    "reasoning": {"effort": "low"},
    "tools": [TOOL],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "response_format": {"type": "json_object"},
}
ABLE = ("max_tokens", *VALUES)


def planned(
    overrides: dict[str, Any], *models: CatalogModel, compatible: bool = True, **settings: Any
) -> tuple[dict[str, Any], Plan]:
    """Return the request body and the plan of a call with these overrides."""
    call = Call(
        config={"model": "a/b", **settings},
        inputs={"prompt": "Hi."},
        models=models or (a_model("a/b", supported_parameters=ABLE),),
        cap_nanousd=10**12,
        user="u",
        overrides=overrides,
        compatible=compatible,
    )
    plan = OpenRouterInstant().plan(call)
    assert plan.request.body is not None
    return json.loads(plan.request.body), plan


def lacking(*names: str, of: str = "a/b") -> CatalogModel:
    """Return a model without these parameters."""
    return a_model(of, supported_parameters=tuple(name for name in ABLE if name not in names))


def test_compatible_calls_override_everything_that_is_open() -> None:
    body, plan = planned(VALUES)
    expected = {name: value for name, value in VALUES.items() if name != "max_tokens"}
    assert {name: body[name] for name in expected} == expected
    assert (body["max_completion_tokens"], plan.ignored) == (20, ())
    assert {*OPEN, *UNLESS_SET} == VALUES.keys()


@pytest.mark.parametrize("name", VALUES)
def test_overrides_of_other_calls_are_closed_by_default(name: str) -> None:
    with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be overridden"):
        planned({name: VALUES[name]}, compatible=False)


@pytest.mark.parametrize("compatible", [True, False])
@pytest.mark.parametrize("name", VALUES)
def test_overrides_are_open_where_the_owner_lists_them(name: str, compatible: bool) -> None:
    tools = {"tools": [TOOL]} if "tool_c" in name else {}
    body, _ = planned({name: VALUES[name]}, compatible=compatible, overridable=[name], **tools)
    assert body["max_completion_tokens" if name == "max_tokens" else name] == VALUES[name]


@pytest.mark.parametrize("listed", [[], ["seed"]])
@pytest.mark.parametrize("name", [name for name in VALUES if name != "seed"])
def test_compatible_calls_cannot_override_what_the_owner_did_not_list(name: str, listed: list[str]) -> None:
    with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be overridden"):
        planned({name: VALUES[name]}, overridable=listed)


@pytest.mark.parametrize("name", UNLESS_SET)
def test_compatible_calls_cannot_replace_tools_and_formats_of_the_owner(name: str) -> None:
    owners: dict[str, Any] = {"tools": [TOOL], name: VALUES[name]}
    with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be overridden"):
        planned({name: VALUES[name]}, **owners)
    others = {each: VALUES[each] for each in UNLESS_SET if each not in owners}
    assert planned(others, **owners)[0].items() >= others.items()


@pytest.mark.parametrize("name", ["model", "system_prompt", "provider", "web_search", "overridable", "nonsense"])
def test_compatible_calls_cannot_override_other_settings(name: str) -> None:
    with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be overridden"):
        planned({name: 1})


@pytest.mark.parametrize("name", OPEN)
def test_compatible_calls_ignore_sampling_that_a_model_lacks(name: str) -> None:
    without = lacking(name) if name != "max_tokens" else a_model("a/b", supported_parameters=("temperature",))
    for models in ([without], [a_model("a/b", supported_parameters=ABLE), without]):
        body, plan = planned({name: VALUES[name]}, *models)
        assert (name in body, plan.ignored) == (False, (name,))


def test_compatible_calls_name_all_that_is_ignored_and_keep_the_rest() -> None:
    body, plan = planned({"seed": 1, "temperature": 1, "top_p": 0.5}, lacking("seed", "top_p"))
    assert (plan.ignored, body["temperature"]) == (("seed", "top_p"), 1)
    assert body.keys().isdisjoint(plan.ignored)


@pytest.mark.parametrize(
    ("overrides", "lacks"),
    [
        ({"tools": [TOOL]}, "tools"),
        ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "none"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": SCHEMA}, "response_format"),
    ],
)
@pytest.mark.parametrize("compatible", [True, False])
def test_overrides_without_which_the_answer_differs_are_rejected_where_a_model_lacks_them(
    overrides: dict[str, Any], lacks: str, compatible: bool
) -> None:
    for models in ([lacking(lacks)], [a_model("a/a", supported_parameters=ABLE), lacking(lacks)]):
        with pytest.raises(InvalidField, match=rf"overrides\.{lacks}: a/b does not support it"):
            planned(overrides, *models, compatible=compatible, overridable=[*UNLESS_SET])


@pytest.mark.parametrize(
    ("overrides", "lacks"),
    [
        ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice"),
        ({"tools": [TOOL], "parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"response_format": {"type": "text"}}, "response_format"),
    ],
)
def test_compatible_calls_ignore_what_a_model_does_anyway(overrides: dict[str, Any], lacks: str) -> None:
    body, plan = planned(overrides, lacking(lacks))
    assert (lacks in body, plan.ignored) == (False, (lacks,))


def test_override_that_the_first_model_lacks_is_rejected_by_other_calls() -> None:
    with pytest.raises(InvalidField, match=r"overrides\.seed: a/b does not support it"):
        planned({"seed": 1}, lacking("seed"), compatible=False, overridable=["seed"])


@pytest.mark.parametrize(("owners", "most"), [(100, 100), (None, DEFAULT_MAX_TOKENS)])
def test_compatible_calls_lower_max_tokens_to_the_limit_of_the_owner(owners: int | None, most: int) -> None:
    settings: dict[str, Any] = {"max_tokens": owners} if owners else {}
    for wanted in (most, most + 1, 10**9):
        assert planned({"max_tokens": wanted}, **settings)[0]["max_completion_tokens"] == most
    assert planned({"max_tokens": 7}, **settings)[0]["max_completion_tokens"] == 7


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"temperature": 3}, "overrides.temperature"),
        ({"max_tokens": 0}, "overrides.max_tokens"),
        ({"max_tokens": True}, "overrides.max_tokens"),
        ({"tools": []}, "overrides.tools"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "overrides.tools.0.type"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "overrides.tools.0.function.name"),
        ({"tools": [TOOL, TOOL]}, "overrides.tools.1.function.name"),
        ({"tool_choice": "auto"}, "overrides"),
    ],
)
def test_compatible_calls_reject_values_out_of_range(overrides: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        planned(overrides)
    assert caught.value.details["field"] == field


def test_compatible_calls_are_read_as_clients_write_them() -> None:
    body, plan = planned({"temperature": None, "stop": "END", "response_format": SCHEMA, "seed": None})
    assert (body["stop"], body["response_format"], plan.ignored) == (["END"], SCHEMA, ())
    assert body.keys().isdisjoint({"temperature", "seed"})
    strict = {**SCHEMA, "json_schema": {"strict": True, **SCHEMA["json_schema"]}}  # type: ignore[dict-item]
    assert planned({"response_format": strict})[0]["response_format"] == strict


def test_tools_of_callers_count_toward_the_maximum_cost() -> None:
    tools = [{"type": "function", "function": {"name": "look", "description": "é" * 900}}]
    without, within = planned({})[1].worst_nanousd, planned({"tools": tools})[1].worst_nanousd
    pricing = a_model().pricing["prompt"]
    assert within - without >= 1_800 * float(pricing) * 10**9


def template(required: list[str], **properties: Any) -> dict[str, Any]:
    """Return the settings of a template with these inputs."""
    return {"input_schema": {"type": "object", "properties": properties, "required": required}}


TEXT, LANGUAGE = {"type": "string"}, {"type": "string", "enum": ["de", "en"]}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (template(["a"], a=TEXT), "a"),
        (template(["a"], a=TEXT, b=TEXT), "a"),
        (template(["a", "n"], a=TEXT, n={"type": "number"}), "a"),
        (template(["a", "b"], a=TEXT, b=LANGUAGE), "a"),
        (template(["a", "b"], a=TEXT, b={"type": "string", "format": "image"}), "a"),
        (template(["a", "b"], a=TEXT, b=TEXT), None),
        (template([], a=TEXT), None),
        (template(["a"], a=LANGUAGE), None),
        (template(["a"], a={"type": ["string", "null"]}), None),
        (template(["a"], a=True), None),
        ({"input_schema": {"type": "object", "properties": {"a": TEXT}}}, None),
    ],
)
def test_template_with_one_required_text_takes_the_last_user_message(config: dict[str, Any], name: str | None) -> None:
    assert last_user_text_input(config) == name
