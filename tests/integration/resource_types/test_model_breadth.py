"""Every setting of a model: passed on where it is supported, refused by name where it is not, priced in the cap."""

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
def test_a_supported_setting_is_passed_on_as_it_is(seeded: App, name: str, config: dict[str, Any]) -> None:
    _give(seeded, FULL, sorted({*_listed(seeded, FULL), name, "structured_outputs", "tools", "tool_choice"}))
    resource = seeded.resource(config={"model": FULL, **config})
    assert seeded.execute(resource["resource_id"]).status == 200
    assert seeded.fake.chat_requests[-1].json[name] == config[name]


@pytest.mark.parametrize(("name", "config"), SUPPORTED)
def test_an_unsupported_setting_is_refused_by_name(seeded: App, name: str, config: dict[str, Any]) -> None:
    _give(seeded, FULL, ["max_tokens"] if name == "tools" else ["max_tokens", "tools"])
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
def test_what_cannot_work_is_refused_by_name(seeded: App, config: dict[str, Any], field: str) -> None:
    answer = _create(seeded, {"model": "juniper/quill-7b", **config})
    assert answer.status == 422, answer.text
    assert answer.json["error"]["details"]["field"].startswith(field)


def test_provider_preferences_travel_with_our_price_limit(seeded: App) -> None:
    wishes = {"order": ["juniper"], "data_collection": "deny", "zdr": True}
    resource = seeded.resource(config={"provider": wishes})
    seeded.execute(resource["resource_id"])
    provider = seeded.fake.chat_requests[-1].json["provider"]
    assert {name: provider[name] for name in wishes} == wishes
    assert set(provider) == {*wishes, "max_price"}


def test_fallbacks_are_named_and_those_that_have_gone_are_left_out(seeded: App) -> None:
    config = {"model": "meadow/lark", "fallback_models": ["northwind/breeze-8b", "northwind/gale-70b"]}
    resource = seeded.resource(config=config)
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[-1].json["models"] == ["meadow/lark", *config["fallback_models"]]

    seeded.retire("northwind/breeze-8b")
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[-1].json["models"] == ["meadow/lark", "northwind/gale-70b"]


def test_a_dear_fallback_counts_in_the_worst_case(seeded: App) -> None:
    config = {"model": "juniper/quill-7b", "fallback_models": ["harbor/lighthouse-pro"], "max_tokens": 2_000}
    cheap = seeded.resource(config={**config, "fallback_models": None}, name="cheap")
    dear = seeded.resource(config=config, name="dear")
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.01"})
    assert seeded.execute(cheap["resource_id"]).status == 200
    assert seeded.execute(dear["resource_id"]).code == "cost_cap"


def test_web_search_is_limited_and_its_price_counts(seeded: App) -> None:
    resource = seeded.resource(config={"web_search": {"max_uses": 2, "max_results": 3}})
    seeded.execute(resource["resource_id"])
    (tool,) = seeded.fake.chat_requests[-1].json["tools"]
    assert tool["type"] == "openrouter:web_search"
    assert (tool["parameters"]["max_uses"], tool["parameters"]["max_results"]) == (2, 3)
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.02"})
    assert seeded.execute(resource["resource_id"]).code == "cost_cap"


def test_a_pdf_engine_is_named_only_when_there_is_a_pdf(seeded: App) -> None:
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


def test_a_caller_overrides_what_the_owner_allows(seeded: App) -> None:
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
def test_an_override_beyond_the_owners_caps_is_refused_by_name(
    seeded: App, overrides: dict[str, Any], field: str
) -> None:
    resource = seeded.resource(config={"overridable": ["temperature", "max_tokens"], "max_tokens": 50})
    answer = seeded.execute(resource["resource_id"], overrides=overrides)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field), answer.text
    assert seeded.fake.chat_requests == []


def test_the_json_schema_of_a_type_names_every_setting(seeded: App) -> None:
    kinds = {kind["name"]: kind for kind in seeded.call("GET", "/api/resource-types").json["data"]}
    for kind in kinds.values():
        named = set(kind["config_schema"]["properties"])
        assert {"reasoning", "tools", "response_format", "fallback_models", "web_search", "overridable"} <= named
    assert {"template", "input_schema"} <= set(kinds["prompt_template"]["config_schema"]["properties"])


def test_images_are_shown_to_models_that_see(seeded: App) -> None:
    resource = seeded.resource(config={"model": "openai/gpt-4o-mini"})
    inputs = {"prompt": "What is this?", "images": ["https://example.com/a.png"]}
    answer = seeded.call("POST", "/api/execute", {"resource_id": resource["resource_id"], "inputs": inputs})
    assert answer.status == 200, answer.text
    assert seeded.fake.chat_requests[-1].json["messages"][-1]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]


def test_a_model_with_a_small_context_is_never_asked_for_more_than_fits(seeded: App) -> None:
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


def _listed(app: App, model: str) -> list[str]:
    return list(next(row["supported_parameters"] for row in app.fake.catalog if row["id"] == model))


def _give(app: App, model: str, parameters: list[str]) -> None:
    """Let the catalog say that `model` supports exactly these."""
    app.fake.catalog = [
        {**row, "supported_parameters": parameters} if row["id"] == model else row for row in app.fake.catalog
    ]
    app.sync()
