"""Model settings are sent where supported, rejected by name where not, and counted in the cost cap."""

from typing import Any

import pytest

from tests.integration.app import Answer, App

SCHEMA = {"name": "poem", "schema": {"type": "object", "properties": {"lines": {"type": "array"}}}, "strict": True}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
FULL = "anthropic/claude-haiku-4.5"

SUPPORTED: list[tuple[str, dict[str, Any]]] = [
    ("temperature", {"temperature": 0.3}),
    ("reasoning", {"reasoning": {"effort": "low", "exclude": True}}),
    ("response_format", {"response_format": {"type": "json_schema", "json_schema": SCHEMA}}),
    ("tools", {"tools": [TOOL], "tool_choice": "auto"}),
    ("tool_choice", {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}}),
    ("stop", {"stop": ["END"]}),
]


@pytest.mark.parametrize(("name", "config"), SUPPORTED)
def test_supported_setting_is_sent_unchanged(seeded: App, name: str, config: dict[str, Any]) -> None:
    _set_supported(
        seeded, FULL, sorted({*_supported(seeded, FULL), name, "structured_outputs", "tools", "tool_choice"})
    )
    resource = seeded.resource(config={"model": FULL, **config})
    assert seeded.execute(resource["resource_id"]).status == 200
    assert seeded.fake.chat_requests[-1].json[name] == config[name]


@pytest.mark.parametrize(("name", "config"), SUPPORTED)
def test_unsupported_setting_is_rejected_by_name(seeded: App, name: str, config: dict[str, Any]) -> None:
    _set_supported(seeded, FULL, ["max_tokens"] if name == "tools" else ["max_tokens", "tools"])
    answer = _create(seeded, {"model": FULL, **config})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, f"config.{name}"), answer.text


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"modalities": ["image", "text"]}, "config.modalities"),
        ({"image_config": {"aspect_ratio": "16:9"}}, "config.image_config"),
        ({"pdf_engine": "native"}, "config.pdf_engine"),
        ({"fallback_models": ["openrouter/auto"]}, "config.fallback_models.0"),
        ({"fallback_models": ["no/such-model"]}, "config.fallback_models.0"),
        ({"provider": {"max_price": {"prompt": "9"}}}, "config.provider.max_price"),
        ({"web_search": {"max_uses": 9}}, "config.web_search.max_uses"),
        ({"reasoning": {"effort": "huge"}}, "config.reasoning.effort"),
        ({"tools": [{"type": "code"}]}, "config.tools.0"),
        ({"overridable": ["model"]}, "config.overridable.0"),
    ],
)
def test_invalid_setting_is_rejected_by_name(seeded: App, config: dict[str, Any], field: str) -> None:
    answer = _create(seeded, {"model": "juniper/quill-7b", **config})
    assert answer.status == 422, answer.text
    assert answer.json["error"]["details"]["field"].startswith(field)


def test_provider_preferences_are_sent_with_a_price_limit(seeded: App) -> None:
    wishes = {"order": ["juniper"], "data_collection": "deny", "zdr": True}
    resource = seeded.resource(config={"provider": wishes})
    seeded.execute(resource["resource_id"])
    provider = seeded.fake.chat_requests[-1].json["provider"]
    assert {name: provider[name] for name in wishes} == wishes
    assert set(provider) == {*wishes, "max_price"}


def test_request_lists_fallbacks_without_retired_models(seeded: App) -> None:
    config = {"model": "meadow/lark", "fallback_models": ["northwind/breeze-8b", "northwind/gale-70b"]}
    resource = seeded.resource(config=config)
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[-1].json["models"] == ["meadow/lark", *config["fallback_models"]]

    seeded.retire("northwind/breeze-8b")
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[-1].json["models"] == ["meadow/lark", "northwind/gale-70b"]


def test_worst_case_cost_includes_fallback_models(seeded: App) -> None:
    config = {"model": "juniper/quill-7b", "fallback_models": ["harbor/lighthouse-pro"], "max_tokens": 2_000}
    cheap = seeded.resource(config={**config, "fallback_models": None}, name="cheap")
    dear = seeded.resource(config=config, name="dear")
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.01"})
    assert seeded.execute(cheap["resource_id"]).status == 200
    assert seeded.execute(dear["resource_id"]).code == "cost_cap"


def test_web_search_keeps_its_limits_and_counts_in_cost(seeded: App) -> None:
    resource = seeded.resource(config={"web_search": {"max_uses": 2, "max_results": 3}})
    seeded.execute(resource["resource_id"])
    (tool,) = seeded.fake.chat_requests[-1].json["tools"]
    assert tool["type"] == "openrouter:web_search"
    assert (tool["parameters"]["max_uses"], tool["parameters"]["max_results"]) == (2, 3)
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.02"})
    assert seeded.execute(resource["resource_id"]).code == "cost_cap"


def test_pdf_engine_is_sent_only_with_a_pdf(seeded: App) -> None:
    schema = {"type": "object", "properties": {"paper": {"type": "string", "format": "file"}}}
    config = {"pdf_engine": "cloudflare-ai", "template": "Read.", "input_schema": schema}
    resource = seeded.resource(resource_type="prompt_template", config=config)
    for inputs, plugins in (
        ({}, None),
        (
            {"paper": "data:application/pdf;base64,JVBERi0xLjQK"},
            [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}],
        ),
    ):
        seeded.call("POST", "/api/execute", {"resource_id": resource["resource_id"], "inputs": inputs})
        assert seeded.fake.chat_requests[-1].json.get("plugins") == plugins


def test_execute_accepts_overrides_that_the_owner_allows(seeded: App) -> None:
    config = {"overridable": ["temperature", "max_tokens"], "temperature": 0.1, "max_tokens": 50}
    resource = seeded.resource(config=config)
    answer = seeded.execute(resource["resource_id"], overrides={"temperature": 0.9, "max_tokens": 20})
    assert answer.status == 200, answer.text
    body = seeded.fake.chat_requests[-1].json
    assert (body["temperature"], body["max_completion_tokens"]) == (0.9, 20)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"top_p": 0.5}, "overrides.top_p"),
        ({"model": "meadow/lark"}, "overrides.model"),
        ({"system_prompt": "obey"}, "overrides.system_prompt"),
        ({"max_tokens": 51}, "overrides.max_tokens"),
        ({"max_tokens": 0}, "overrides.max_tokens"),
        ({"temperature": 3}, "overrides.temperature"),
    ],
)
def test_execute_rejects_overrides_beyond_the_owner_limits(seeded: App, overrides: dict[str, Any], field: str) -> None:
    resource = seeded.resource(config={"overridable": ["temperature", "max_tokens"], "max_tokens": 50})
    answer = seeded.execute(resource["resource_id"], overrides=overrides)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field), answer.text
    assert seeded.fake.chat_requests == []


def test_config_schema_lists_the_model_settings(seeded: App) -> None:
    kinds = {kind["name"]: kind for kind in seeded.call("GET", "/api/resource-types").json["data"]}
    for name in ("openrouter_instant", "prompt_template"):
        named = set(kinds[name]["config_schema"]["properties"])
        assert {"reasoning", "tools", "response_format", "fallback_models", "web_search", "overridable"} <= named
    assert {"template", "input_schema"} <= set(kinds["prompt_template"]["config_schema"]["properties"])


def test_images_are_sent_to_vision_models(seeded: App) -> None:
    resource = seeded.resource(config={"model": "openai/gpt-4o-mini"})
    inputs = {"prompt": "What is this?", "images": ["https://example.com/a.png"]}
    answer = seeded.call("POST", "/api/execute", {"resource_id": resource["resource_id"], "inputs": inputs})
    assert answer.status == 200, answer.text
    assert seeded.fake.chat_requests[-1].json["messages"][-1]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]


def test_max_tokens_does_not_exceed_the_remaining_context(seeded: App) -> None:
    small = {"context_length": 4_096, "top_provider": {"context_length": 4_096, "max_completion_tokens": 4_096}}
    model = "juniper/quill-7b"
    seeded.fake.catalog = [{**row, **small} if row["id"] == model else row for row in seeded.fake.catalog]
    seeded.sync()
    resource = seeded.resource(config={"model": model, "max_tokens": None})
    assert seeded.execute(resource["resource_id"], "word " * 600).status == 200
    assert seeded.fake.chat_requests[-1].json["max_completion_tokens"] == 4_096 - 3_000 // 3 - 256


def _create(app: App, config: dict[str, Any]) -> Answer:
    body = {"resource_type": "openrouter_instant", "name": "R", "config": config}
    return app.call("POST", "/api/resources", body)


def _supported(app: App, model: str) -> list[str]:
    return list(next(row["supported_parameters"] for row in app.fake.catalog if row["id"] == model))


def _set_supported(app: App, model: str, parameters: list[str]) -> None:
    """Set the supported parameters of `model` in the catalog."""
    app.fake.catalog = [
        {**row, "supported_parameters": parameters} if row["id"] == model else row for row in app.fake.catalog
    ]
    app.sync()
