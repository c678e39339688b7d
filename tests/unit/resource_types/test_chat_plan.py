"""A chat plan turns settings, content and models into one request with a bounded cost."""

import json
from base64 import b64encode
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import HIDDEN_PROMPT_TOKENS, IMAGE_TOKENS
from instant.domain.errors import InvalidField, ModelUnavailable
from instant.domain.executions.plan import Plan
from instant.domain.media import Media, read_media
from instant.domain.media_types import MediaKind
from instant.resource_types.chat_plan import check_settings, plan_chat
from instant.resource_types.chat_usage import RESULT_CHARACTERS
from instant.resource_types.media_usage import MAX_PDF_PAGES
from instant.resource_types.messages.content import Content, user_content
from instant.resource_types.model_settings import ModelSettings
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model
from tests.fakes.pdf import TEXT, one_page, page, pdf, stream

NANO = 10**9
FREE = {"prompt": "0", "completion": "0"}
PRICED = {"prompt": "0.000001", "completion": "0"}


def media(kind: MediaKind, form: str, size: int = 30) -> Media:
    """Return media of this size."""
    return read_media(kind, f"data:{form};base64,{b64encode(b'x' * size).decode()}", "inputs.it")


def planned(
    *models: CatalogModel,
    content: Content | None = None,
    overrides: dict[str, Any] | None = None,
    cap: int = 10 * NANO,
    stream: bool = False,
    **settings: Any,
) -> Plan:
    """Return the plan of a call with these settings and models."""
    serving = models or (a_model(),)
    call = Call(
        config={}, inputs={}, models=serving, cap_nanousd=cap, user="u", overrides=overrides or {}, stream=stream
    )
    config = ModelSettings.model_validate({"model": serving[0].openrouter_id, **settings})
    return plan_chat(config, content or user_content("Hi."), call)


def body_of(plan: Plan) -> dict[str, Any]:
    """Return the request body of a plan."""
    assert plan.request.body is not None
    body: dict[str, Any] = json.loads(plan.request.body)
    return body


def reader(**more: Any) -> CatalogModel:
    """Return a model that accepts files."""
    return a_model("a/reader", **{"input_modalities": ("text", "file"), **more})


@pytest.mark.parametrize(
    ("models", "chosen", "engine"),
    [
        ([a_model()], None, "cloudflare-ai"),
        ([reader()], None, "native"),
        ([reader(), a_model()], None, "cloudflare-ai"),
        ([reader()], "cloudflare-ai", "cloudflare-ai"),
        ([a_model()], "mistral-ocr", "mistral-ocr"),
    ],
)
def test_chat_plan_always_names_the_file_engine(models: list[CatalogModel], chosen: str | None, engine: str) -> None:
    content = user_content("Sum up.", [media("file", "application/pdf")])
    settings: dict[str, Any] = {"pdf_engine": chosen} if chosen else {}
    body = body_of(planned(*models, content=content, **settings))
    assert body["plugins"] == [{"id": "file-parser", "pdf": {"engine": engine}}]


def test_chat_plan_without_a_file_names_no_engine() -> None:
    seen = user_content("Look.", [media("image", "image/png")])
    vision = a_model(input_modalities=("text", "image"))
    assert "plugins" not in body_of(planned(vision, content=seen, pdf_engine="mistral-ocr"))
    assert "plugins" not in body_of(planned())


@pytest.mark.parametrize(("size", "pages"), [(1, 1), (95, 10), (9_980, 999), (10_000, 1_000), (500_000, 1_000)])
def test_chat_plan_bounds_paid_pages_by_the_file_size(size: int, pages: int) -> None:
    content = user_content("Sum up.", [media("file", "application/pdf", size)])
    free = a_model(pricing=FREE)
    assert planned(free, content=content, pdf_engine="mistral-ocr").worst_nanousd == pages * 2_000_000
    assert planned(free, content=content).worst_nanousd == 0
    assert MAX_PDF_PAGES == 1_000


TWO_PAGES = pdf(page(3, b"5 0 R"), page(4, b"5 0 R"), stream(5, TEXT), kids=(3, 4))
NESTED = pdf(b"6 0 obj\n<< /Type /Pages /Kids [3 0 R] >>\nendobj\n", page(3, b"5 0 R"), stream(5, TEXT), kids=(6,))
COMPRESSED = pdf(
    stream(7, b"3 0 <</Type/Page /Contents 5 0 R>>", header=b"/Type /ObjStm /N 1 /First 4 "), stream(5, TEXT)
)


@pytest.mark.parametrize(
    ("files", "pages"),
    [
        ([one_page()], 1),
        ([NESTED], 1),
        ([COMPRESSED], 1),
        ([one_page(), TWO_PAGES], 3),
        ([one_page(), b"%PDF-1.7 unreadable"], None),
    ],
)
def test_chat_plan_counts_the_pages_that_are_read_for_a_charge(files: list[bytes], pages: int | None) -> None:
    urls = (f"data:application/pdf;base64,{b64encode(data).decode()}" for data in files)
    content = user_content("Sum up.", [read_media("file", url, "inputs.it") for url in urls])
    assert planned(content=content, pdf_engine="mistral-ocr").ocr_pages == pages
    assert planned(content=content).ocr_pages == 0


def test_chat_plan_counts_the_pages_of_every_file() -> None:
    content = user_content("Compare.", [media("file", "application/pdf", 95), media("file", "application/pdf", 5)])
    assert planned(a_model(pricing=FREE), content=content, pdf_engine="mistral-ocr").worst_nanousd == 11 * 2_000_000


@pytest.mark.parametrize(("kind", "form"), [("file", "application/pdf"), ("audio", "audio/wav")])
def test_chat_plan_assumes_files_and_audio_fill_the_context(kind: MediaKind, form: str) -> None:
    model = a_model(pricing=PRICED, input_modalities=("text", "audio", "file"), context_length=65_536)
    assert planned(model, content=user_content("Go on.", [media(kind, form)])).worst_nanousd == 65_536_000


@pytest.mark.parametrize(("kind", "form"), [("file", "application/pdf"), ("audio", "audio/wav")])
def test_chat_plan_rejects_unmeasured_media_without_a_context_length(kind: MediaKind, form: str) -> None:
    endless = a_model("a/endless", pricing=PRICED, input_modalities=("text", "audio", "file"), context_length=None)
    known = a_model("a/known", pricing=PRICED, input_modalities=("text", "audio", "file"))
    assert planned(known, endless).worst_nanousd > 0
    for models in ([endless], [known, endless]):
        with pytest.raises(InvalidField, match="a/endless states no context length"):
            planned(*models, content=user_content("Go on.", [media(kind, form, 2_000)]))


def test_chat_plan_rejects_unlimited_searches_without_a_context_length() -> None:
    with pytest.raises(ModelUnavailable, match="states no limit"):
        planned(replace(DEEP, context_length=None), web_search={"max_uses": 2})


def test_chat_plan_counts_each_image_at_the_observed_maximum() -> None:
    vision = a_model(pricing=PRICED, input_modalities=("text", "image"), context_length=10**7)
    none, two = (
        planned(vision, content=user_content("Look.", [media("image", "image/png")] * number)).worst_nanousd
        for number in (0, 2)
    )
    assert two - none == 2 * IMAGE_TOKENS * 1_000
    assert IMAGE_TOKENS >= 48_169


@pytest.mark.parametrize(("kind", "form"), [("image", "image/png"), ("audio", "audio/wav")])
def test_chat_plan_rejects_input_that_any_model_cannot_read(kind: MediaKind, form: str) -> None:
    supported = a_model("a/able", input_modalities=("text", kind))
    content = user_content("Look.", [media(kind, form)])
    planned(supported, content=content)
    with pytest.raises(InvalidField, match=f"meadow/lark-mini cannot take {kind} inputs"):
        planned(supported, a_model(), content=content)


def test_chat_plan_search_has_one_engine_and_a_step_limit() -> None:
    body = body_of(planned(web_search={"max_uses": 3, "max_results": 7}))
    assert body["tools"] == [
        {
            "type": "openrouter:web_search",
            "parameters": {"engine": "exa", "max_characters": RESULT_CHARACTERS, "max_uses": 3, "max_results": 7},
        }
    ]
    assert body["stop_server_tools_when"] == [{"type": "step_count_is", "step_count": 3}]


def test_chat_plan_sends_a_search_with_the_owner_tools() -> None:
    supported = a_model(supported_parameters=("max_tokens", "tools"))
    body = body_of(planned(supported, web_search={}, tools=[{"function": {"name": "look"}}]))
    assert [tool["type"] for tool in body["tools"]] == ["function", "openrouter:web_search"]


def test_chat_plan_without_a_search_sends_no_search_tool() -> None:
    assert {"tools", "stop_server_tools_when"}.isdisjoint(body_of(planned()))


@pytest.mark.parametrize(("uses", "results", "usd"), [(1, 1, "0.007"), (1, 5, "0.02"), (5, 1, "0.035"), (5, 20, "0.4")])
def test_chat_plan_adds_the_cost_of_searches_and_results(uses: int, results: int, usd: str) -> None:
    plan = planned(a_model(pricing=FREE), web_search={"max_uses": uses, "max_results": results})
    assert plan.worst_nanousd == Decimal(usd) * NANO


@pytest.mark.parametrize("uses", [1, 2, 5])
def test_chat_plan_counts_every_search_as_another_full_round(uses: int) -> None:
    priced = a_model(pricing={**PRICED, "request": "0.01"}, context_length=10**9)
    plan = planned(priced, web_search={"max_uses": uses, "max_results": 2}, max_tokens=100)
    rounds = uses + 2  # each search is a round with results of up to 4 bytes per character; two more rounds follow
    read = 2 * uses * RESULT_CHARACTERS * 4 + HIDDEN_PROMPT_TOKENS + (rounds - 1) * 100
    assert plan.worst_nanousd >= rounds * (read * 1_000 + 10_000_000) + uses * 8_000_000


def test_chat_plan_price_limits_exclude_the_cost_of_searches() -> None:
    model = a_model(pricing=PRICED, context_length=10**9)
    plan = planned(model, web_search={"max_uses": 1, "max_results": 5}, cap=NANO)
    limit = Decimal(body_of(plan)["provider"]["max_price"]["prompt"])
    tokens = plan.worst_nanousd - 20_000_000
    assert limit == pytest.approx(Decimal(NANO - 20_000_000) / tokens, rel=Decimal("1e-6"))


SEARCHER = a_model(
    "perplexity/sonar",
    pricing={"prompt": "0", "completion": "0", "web_search": "0.005"},
    supported_parameters=("max_tokens", "web_search_options"),
)
DEEP = a_model("openai/o3-deep-research", pricing={**PRICED, "web_search": "0.01"}, context_length=200_000)


@pytest.mark.parametrize(
    ("settings", "searches"), [({}, 1), ({"web_search": {}}, 1), ({"web_search": {"max_uses": 4}}, 4)]
)
def test_chat_plan_counts_the_searches_that_a_model_makes_by_itself(settings: dict[str, Any], searches: int) -> None:
    plan = planned(SEARCHER, **settings)
    assert plan.worst_nanousd == searches * 5_000_000
    assert {"tools", "stop_server_tools_when"}.isdisjoint(body_of(plan))


def test_chat_plan_counts_the_own_searches_of_a_fallback() -> None:
    assert planned(a_model(pricing=FREE), SEARCHER).worst_nanousd == 5_000_000


def test_chat_plan_price_limits_exclude_the_cost_of_own_searches() -> None:
    model = replace(SEARCHER, pricing={**SEARCHER.pricing, **PRICED})
    worst = planned(model).worst_nanousd
    limit = Decimal(body_of(planned(model, cap=2 * worst))["provider"]["max_price"]["prompt"])
    assert limit == pytest.approx(Decimal(2 * worst - 5_000_000) / (worst - 5_000_000), rel=Decimal("1e-6"))


def test_chat_plan_rejects_searches_without_a_limit_by_name() -> None:
    with pytest.raises(ModelUnavailable, match=r"o3-deep-research makes any number of searches.*web_search\.max_uses"):
        planned(DEEP)
    with pytest.raises(ModelUnavailable, match="o3-deep-research"):
        planned(a_model(), DEEP)


def test_chat_plan_counts_the_stated_searches_as_rounds_over_the_context() -> None:
    plan = planned(DEEP, web_search={"max_uses": 30})
    assert plan.worst_nanousd == 31 * 200_000 * 1_000 + 30 * 10_000_000


@pytest.mark.parametrize(
    ("model", "search", "field"),
    [
        (DEEP, None, "config.web_search"),
        (DEEP, {"max_uses": 30}, None),
        (SEARCHER, {"max_uses": 5}, None),
        (SEARCHER, {"max_uses": 6}, "config.web_search.max_uses"),
        (a_model(), {"max_uses": 6}, "config.web_search.max_uses"),
    ],
)
def test_check_settings_limits_the_searches_of_each_model(
    model: CatalogModel, search: dict[str, int] | None, field: str | None
) -> None:
    settings = ModelSettings.model_validate({"model": model.openrouter_id, "web_search": search})
    if field is None:
        check_settings(settings, [model])
        return
    with pytest.raises(InvalidField, match=model.openrouter_id) as caught:
        check_settings(settings, [model])
    assert caught.value.details == {"field": field}


def test_chat_plan_lists_fallback_models_in_order() -> None:
    models = [a_model("a/first"), a_model("a/second"), a_model("a/third")]
    body = body_of(planned(*models))
    assert (body["model"], body["models"]) == ("a/first", ["a/first", "a/second", "a/third"])
    assert "models" not in body_of(planned(a_model()))


def test_chat_plan_fallbacks_use_the_lowest_limit_and_shared_parameters() -> None:
    strong = a_model("a/strong", supported_parameters=("max_tokens", "temperature", "top_p"))
    weak = a_model("a/weak", supported_parameters=("max_tokens", "top_p"), max_tokens=300)
    body = body_of(planned(strong, weak, temperature=0.5, top_p=0.5, max_tokens=5_000))
    assert (body["max_completion_tokens"], body["top_p"]) == (300, 0.5)
    assert "temperature" not in body


def test_chat_plan_fallbacks_use_the_highest_price_for_cost_limits() -> None:
    cheap, expensive = a_model("a/cheap"), a_model("a/dear", pricing={"prompt": "0.001", "completion": "0.002"})
    assert planned(cheap, expensive).worst_nanousd == planned(expensive, cheap).worst_nanousd
    assert planned(cheap, expensive).worst_nanousd >= planned(expensive).worst_nanousd > planned(cheap).worst_nanousd
    assert planned(expensive, cap=NANO).worst_nanousd == planned(expensive, cap=10 * NANO).worst_nanousd


def test_chat_plan_sends_owner_providers_with_the_price_limit() -> None:
    provider = body_of(planned(provider={"only": ["meadow"], "zdr": True}))["provider"]
    assert set(provider) == {"only", "zdr", "max_price"}
    assert (provider["only"], provider["zdr"]) == (["meadow"], True)


def test_chat_plan_rejects_an_override_the_model_does_not_support() -> None:
    limited = a_model(supported_parameters=("max_tokens",))
    with pytest.raises(InvalidField) as caught:
        planned(limited, overrides={"temperature": 0.5}, overridable=["temperature"])
    assert caught.value.details == {"field": "overrides.temperature"}
    assert "does not support it" in caught.value.message


def test_chat_plan_omits_owner_settings_no_longer_supported() -> None:
    assert "temperature" not in body_of(planned(a_model(supported_parameters=("max_tokens",)), temperature=0.5))


def test_chat_plan_sends_and_prices_the_override_of_the_caller() -> None:
    plan = planned(
        overrides={"max_tokens": 10, "temperature": 0}, max_tokens=500, overridable=["max_tokens", "temperature"]
    )
    body = body_of(plan)
    assert (body["max_completion_tokens"], body["temperature"]) == (10, 0)
    assert plan.worst_nanousd < planned(max_tokens=500).worst_nanousd


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (None, False),
        ({"type": "text"}, False),
        ({"type": "json_object"}, True),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}, True),
    ],
)
def test_chat_plan_expects_json_where_requested(form: dict[str, Any] | None, expected: bool) -> None:
    supported = a_model(supported_parameters=("max_tokens", "response_format"))
    settings: dict[str, Any] = {"response_format": form} if form else {}
    assert planned(supported, **settings).options["wants_json"] is expected


def test_chat_plan_asks_for_a_stream_only_in_a_stream() -> None:
    whole, streamed = planned(), planned(stream=True)
    assert body_of(streamed) == {**body_of(whole), "stream": True}
    assert (body_of(whole)["stream"], whole.request.stream) == (False, False)
    request = replace(streamed.request, body=whole.request.body, stream=False)
    assert replace(streamed, request=request, preview=whole.preview) == whole


def test_chat_plan_expects_no_json_from_an_unsupporting_model() -> None:
    plan = planned(a_model(supported_parameters=("max_tokens",)), response_format={"type": "json_object"})
    assert plan.options["wants_json"] is False


def test_chat_plan_image_model_sets_modalities_limits_and_price() -> None:
    image_model = a_model(output_modalities=("text", "image"), pricing={"prompt": "0", "completion": "0.000001"})
    plan, text_only = planned(image_model, max_tokens=100), planned(image_model, max_tokens=100, modalities=["text"])
    assert body_of(plan)["modalities"] == ["image", "text"]
    assert (plan.options["wants_images"], text_only.options["wants_images"]) == (True, False)
    assert "modalities" not in body_of(text_only)
    assert (plan.worst_nanousd, text_only.worst_nanousd) == (20 * 100_000, 100_000)
    assert plan.seconds_to_keep > text_only.seconds_to_keep == 0
    assert plan.request.max_reply_bytes > text_only.request.max_reply_bytes
