"""Owner settings: contradictions and unsupported parameters are rejected with the name of the field."""

from typing import Any

import pytest
from pydantic import ValidationError

from instant.domain.errors import InvalidField
from instant.resource_types.chat_plan import check_settings
from instant.resource_types.model_settings import DEFAULT_MAX_TOKENS, ModelSettings, contradictions
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.overrides import overridden
from tests.fakes.builders import a_model

TOOL = {"function": {"name": "look"}}
SCHEMA = {"name": "place", "schema": {"type": "object"}}
CONTRADICTIONS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "effort and tokens": (
        {"reasoning": {"effort": "low", "max_tokens": 9}},
        "not both",
        {"reasoning": {"max_tokens": 9}},
    ),
    "reasoning takes max_tokens": (
        {"reasoning": {"max_tokens": 100}, "max_tokens": 100},
        "must be smaller",
        {"reasoning": {"max_tokens": 99}, "max_tokens": 100},
    ),
    "reasoning takes the default": (
        {"reasoning": {"max_tokens": DEFAULT_MAX_TOKENS}},
        "must be smaller",
        {"reasoning": {"max_tokens": DEFAULT_MAX_TOKENS - 1}},
    ),
    "missing schema": (
        {"response_format": {"type": "json_schema"}},
        "allows it only then",
        {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
    ),
    "unused schema": (
        {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
        "allows it only then",
        {"response_format": {"type": "json_object"}},
    ),
    "tool choice without tools": (
        {"tool_choice": "required"},
        "requires tools",
        {"tool_choice": "required", "tools": [TOOL]},
    ),
    "unknown tool": (
        {"tool_choice": {"function": {"name": "leap"}}, "tools": [TOOL]},
        "not among tools",
        {"tool_choice": {"function": {"name": "look"}}, "tools": [TOOL]},
    ),
    "image settings without images": (
        {"image_config": {"image_size": "1K"}, "modalities": ["text"]},
        "requires the modality image",
        {"image_config": {"image_size": "1K"}, "modalities": ["image"]},
    ),
    "search with fallbacks": (
        {"web_search": {}, "fallback_models": ["a/c"]},
        "together with fallback_models",
        {"web_search": {}},
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_model_settings_rejects_contradictions(case: str) -> None:
    invalid, message, valid = CONTRADICTIONS[case]
    with pytest.raises(ValidationError, match=message):
        ModelSettings.model_validate({"model": "a/b", **invalid})
    assert list(contradictions(ModelSettings.model_validate({"model": "a/b", **valid}))) == []


def test_model_settings_rejects_more_than_two_fallbacks() -> None:
    config = {"model": "a/b", "fallback_models": ["a/c", "a/d"]}
    assert OpenRouterInstant().models(ModelSettings.model_validate(config).model_dump(exclude_none=True)) == [
        "a/b",
        "a/c",
        "a/d",
    ]
    with pytest.raises(ValidationError, match="fallback_models"):
        ModelSettings.model_validate({"model": "a/b", "fallback_models": ["a/c", "a/d", "a/e"]})


def test_model_settings_rejects_a_model_listed_twice() -> None:
    assert OpenRouterInstant().models({"model": "a/b", "fallback_models": ["a/b", "a/c"]}) == ["a/b", "a/c"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_model_settings_rejects_parameters_a_model_does_not_support(place: int) -> None:
    models = [a_model(f"a/{number}") for number in range(3)]
    models[place] = a_model(f"a/{place}", supported_parameters=("max_tokens",))
    with pytest.raises(InvalidField, match=rf"config\.temperature: a/{place} does not support it"):
        check_settings(ModelSettings(model="a/0", temperature=0.5), models)


@pytest.mark.parametrize(
    ("setting", "supported", "field"),
    [
        ({"modalities": ["image"]}, a_model(output_modalities=("image",)), "config.modalities"),
        ({"image_config": {"image_size": "1K"}}, a_model(output_modalities=("image",)), "config.image_config"),
        ({"pdf_engine": "native"}, a_model(input_modalities=("text", "file")), "config.pdf_engine"),
        ({"tools": [TOOL]}, a_model(supported_parameters=("tools",)), "config.tools"),
        (
            {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
            a_model(supported_parameters=("structured_outputs",)),
            "config.response_format",
        ),
        (
            {"response_format": {"type": "json_object"}},
            a_model(supported_parameters=("response_format",)),
            "config.response_format",
        ),
    ],
)
def test_model_settings_rejects_values_a_model_does_not_support(
    setting: dict[str, Any], supported: Any, field: str
) -> None:
    settings = ModelSettings.model_validate({"model": "a/b", **setting})
    check_settings(settings, [supported])
    with pytest.raises(InvalidField) as caught:
        check_settings(settings, [a_model(supported_parameters=("max_tokens",))])
    assert caught.value.details == {"field": field}


def settings_with(*allowed: str, **more: Any) -> ModelSettings:
    """Return settings with these overridable fields."""
    return ModelSettings.model_validate({"model": "a/b", "overridable": list(allowed), **more})


def test_model_settings_accepts_overrides_the_owner_allows() -> None:
    merged = overridden(settings_with("temperature", "stop", temperature=0.1, seed=7), {"temperature": 0.9})
    assert (merged.temperature, merged.seed, merged.stop) == (0.9, 7, None)


@pytest.mark.parametrize("name", ["model", "system_prompt", "max_tokens", "provider", "overridable", "nonsense"])
def test_model_settings_rejects_any_other_override(name: str) -> None:
    for settings in (settings_with("temperature"), ModelSettings(model="a/b")):
        with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be overridden") as caught:
            overridden(settings, {name: 1})
        assert caught.value.details == {"field": f"overrides.{name}"}


@pytest.mark.parametrize("name", ["temperature", "max_tokens", "stop", "reasoning"])
def test_model_settings_rejects_a_null_override(name: str) -> None:
    with pytest.raises(InvalidField, match=rf"overrides\.{name}: cannot be null"):
        overridden(settings_with("temperature", "max_tokens", "stop", "reasoning", max_tokens=10), {name: None})


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"temperature": 2.1}, "overrides.temperature"),
        ({"temperature": "hot"}, "overrides.temperature"),
        ({"temperature": float("nan")}, "overrides.temperature"),
        ({"stop": []}, "overrides.stop"),
    ],
)
def test_model_settings_validates_an_override_like_a_setting(overrides: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        overridden(settings_with("temperature", "stop"), overrides)
    assert caught.value.details == {"field": field}


@pytest.mark.parametrize(("owners", "most"), [(100, 100), (None, DEFAULT_MAX_TOKENS)])
def test_model_settings_override_can_only_lower_max_tokens(owners: int | None, most: int) -> None:
    settings = settings_with("max_tokens", **({"max_tokens": owners} if owners else {}))
    assert overridden(settings, {"max_tokens": most}).max_tokens == most
    with pytest.raises(InvalidField, match=rf"overrides\.max_tokens: can be at most {most}"):
        overridden(settings, {"max_tokens": most + 1})


def test_model_settings_rejects_overrides_contradicting_the_owner() -> None:
    settings = settings_with("max_tokens", max_tokens=200, reasoning={"max_tokens": 100})
    with pytest.raises(InvalidField, match="must be smaller"):
        overridden(settings, {"max_tokens": 100})
