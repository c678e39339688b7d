"""Resource settings are checked against the catalog, and invalid settings are rejected by name and not stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.resource_types.model_settings import ModelSettings
from tests.integration.app import Answer, App
from tests.integration.synced_app import deployed_synced_app, new_user

GONE = "meadow/lark-mini:free"
PLAIN = "meadow/lark"
EXAMPLES: dict[str, Any] = {
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 10,
    "top_a": 0.5,
    "min_p": 0.1,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "repetition_penalty": 1,
    "seed": 7,
    "stop": ["END"],
    "max_tokens": 100,
}
"""A valid value for every scalar setting whose support depends on the model."""

OTHER_EXAMPLES: dict[str, Any] = {
    "verbosity": "low",
    "reasoning": {"effort": "low"},
    "response_format": {"type": "json_object"},
    "tools": [{"type": "function", "function": {"name": "look"}}],
    "parallel_tool_calls": True,
    "modalities": ["image"],
    "image_config": {"aspect_ratio": "16:9"},
    "pdf_engine": "native",
}
"""The same for the other settings, except `tool_choice`, which requires `tools`."""

ALWAYS_SUPPORTED = {"model", "fallback_models", "system_prompt", "provider", "web_search", "overridable", "tool_choice"}
"""Settings that every model accepts, or that are checked together with others."""


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        app.retire(GONE)
        yield app


def _create(app: App, config: Any) -> Answer:
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": config}
    return app.call("POST", "/api/resources", body, user=new_user())


def _rejection(app: App, config: Any, field: str) -> str:
    """Assert that the settings are rejected by `field` and nothing is stored; return the message."""
    before = app.table("RESOURCES_TABLE")
    answer = _create(app, config)
    assert (answer.status, answer.code) == (422, "invalid_field"), answer.text
    assert answer.json["error"]["details"]["field"] == field
    assert app.table("RESOURCES_TABLE") == before
    message = str(answer.json["error"]["message"])
    assert message.startswith(f"{field}: ")
    return message


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("nobody/knows-it", "not in the catalog"),
        (GONE, "no longer offered"),
        ("openai/gpt-4o-mini:batch", "only served in batches"),
        ("openrouter/auto", "router"),
        ("openrouter/fusion", "router"),
        ("northwind/compass-embed-small", "outputs neither text nor images"),
        ("juniper/reel-1", "outputs neither text nor images"),
    ],
)
def test_unusable_model_is_rejected_with_the_reason(shared: App, model: str, reason: str) -> None:
    message = _rejection(shared, {"model": model}, "config.model")
    assert (model in message) == (reason != "not in the catalog"), "an unknown id may be a secret"
    assert reason in message


@pytest.mark.parametrize(
    ("model", "setting"),
    [
        ("juniper/quill-7b:nitro", "provider.sort to throughput"),
        ("juniper/quill-7b:floor", "provider.sort to price"),
        ("juniper/quill-7b:exacto", "provider.sort to exacto"),
        ("juniper/quill-7b:online", "web_search"),
        ("@preset/mine", "preset"),
        ("juniper/quill-7b@preset/mine", "preset"),
    ],
)
def test_routing_option_as_a_model_names_the_setting_to_use(shared: App, model: str, setting: str) -> None:
    message = _rejection(shared, {"model": model}, "config.model")
    assert setting in message
    assert model not in message
    fallbacks = {"model": "juniper/quill-7b", "fallback_models": [model]}
    assert setting in _rejection(shared, fallbacks, "config.fallback_models.0")


@pytest.mark.parametrize("model", ["", "no-slash", "a/b/c", "a b/c", "/x", "x/", "a/b\n", "x" * 400, None, 7, ["a/b"]])
def test_malformed_model_id_is_rejected(shared: App, model: Any) -> None:
    _rejection(shared, {"model": model}, "config.model")


def test_settings_require_a_model(shared: App) -> None:
    assert "required" in _rejection(shared, {"temperature": 1}, "config.model")


@pytest.mark.parametrize(
    "model", [PLAIN, "~meadow/lark-latest", "meadow/skylark-voice", "stealth/moth-alpha", "northwind/easel-max"]
)
def test_settings_accept_usable_models_and_aliases(shared: App, model: str) -> None:
    assert _create(shared, {"model": model}).status == 201


def test_examples_cover_every_setting() -> None:
    assert {*EXAMPLES, *OTHER_EXAMPLES} == set(ModelSettings.model_fields) - ALWAYS_SUPPORTED


@pytest.mark.parametrize("name", [*EXAMPLES, *OTHER_EXAMPLES])
def test_unsupported_setting_is_rejected_by_name(shared: App, name: str) -> None:
    message = _rejection(shared, {"model": "stealth/bare", name: (EXAMPLES | OTHER_EXAMPLES)[name]}, f"config.{name}")
    assert "stealth/bare does not support it" in message


def test_error_names_the_first_unsupported_setting(shared: App) -> None:
    _rejection(shared, {"model": "openai/gpt-5-nano", "seed": 1, "temperature": 1, "top_p": 1}, "config.temperature")


def test_supported_settings_are_stored_unchanged(shared: App) -> None:
    config = {"model": "anthropic/claude-haiku-4.5", "system_prompt": "Be brief."}
    supported = set(EXAMPLES) - {"top_a", "min_p", "repetition_penalty"}
    answer = _create(shared, {**config, **{name: EXAMPLES[name] for name in supported}})
    assert answer.json["config"] == {**config, **{name: EXAMPLES[name] for name in supported}}


@pytest.mark.parametrize(
    ("model", "longest"),
    [
        ("juniper/quill-7b", 2_048),  # its own limit
        ("northwind/breeze-8b", 32_768),  # no limit but its context
        ("northwind/overflow", 32_768),  # a limit beyond its context
    ],
)
def test_max_tokens_rejects_more_than_the_model_limit(shared: App, model: str, longest: int) -> None:
    assert _create(shared, {"model": model, "max_tokens": longest}).status == 201
    assert str(longest) in _rejection(shared, {"model": model, "max_tokens": longest + 1}, "config.max_tokens")


@pytest.mark.parametrize(
    ("name", "least", "most", "step"),
    [
        ("temperature", 0, 2, 0.01),
        ("top_p", 0.01, 1, 0.01),
        ("top_k", 0, 100_000, 1),
        ("frequency_penalty", -2, 2, 0.01),
        ("presence_penalty", -2, 2, 0.01),
        ("seed", -(2**53), 2**53, 1),
        ("max_tokens", 1, 64_000, 1),
    ],
)
def test_numeric_setting_rejects_values_outside_its_range(
    shared: App, name: str, least: float, most: float, step: float
) -> None:
    model = "anthropic/claude-haiku-4.5"
    for value in (least, most):
        assert _create(shared, {"model": model, name: value}).status == 201
    for value in (least - step, most + step):
        _rejection(shared, {"model": model, name: value}, f"config.{name}")


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": [1]}, "temperature"),
        ({"temperature": "NaN"}, "temperature"),
        ({"temperature": "Infinity"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_a": 1.1}, "top_a"),
        ({"min_p": -0.1}, "min_p"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
        ({"seed": 1.5}, "seed"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stop": "END"}, "stop"),
        ({"stop": []}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ["a", ""]}, "stop.1"),
        ({"stop": ["x" * 201]}, "stop.0"),
        ({"system_prompt": 7}, "system_prompt"),
        ({"system_prompt": "x" * 200_001}, "system_prompt"),
        ({"stream": True}, "stream"),
        ({"messages": []}, "messages"),
        ({"api_key": "sk-or-v1-x"}, "api_key"),
        ({"Temperature": 1}, "Temperature"),
    ],
)
def test_invalid_setting_is_rejected_by_name(shared: App, setting: dict[str, Any], field: str) -> None:
    _rejection(shared, {"model": PLAIN, **setting}, f"config.{field}")


@pytest.mark.parametrize("config", [None, [], "model", 7])
def test_config_rejects_values_that_are_not_objects(shared: App, config: Any) -> None:
    _rejection(shared, config, "config")


def test_null_setting_is_treated_as_absent(shared: App) -> None:
    answer = _create(shared, {"model": "stealth/bare", "temperature": None})
    assert (answer.status, answer.json["config"]) == (201, {"model": "stealth/bare"})
