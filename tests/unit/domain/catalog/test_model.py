"""The capabilities of a model, and the reasons why a resource cannot use it."""

import pytest

from instant.domain.catalog.model import CatalogModel, why_unavailable, why_unusable
from tests.fakes.builders import a_model


def supports_all(_model: CatalogModel) -> str | None:
    return None


def supports_none(_model: CatalogModel) -> str | None:
    return "does not sing"


def test_why_unusable_names_a_missing_or_removed_model() -> None:
    gone = a_model(is_active=False, missing_since="2026-11-20T03:00:00.000000Z")
    for supports in (supports_all, supports_none):
        assert "not in the catalog" in str(why_unusable(None, supports))
        assert "no longer offered" in str(why_unusable(gone, supports))


def test_why_unusable_returns_the_reason_of_the_resource_type() -> None:
    assert why_unusable(a_model(), supports_all) is None
    assert why_unusable(a_model(), supports_none) == "does not sing"


@pytest.mark.parametrize("modalities", [(), ("text",), ("embeddings",), ("audio",)], ids=repr)
def test_why_unusable_is_none_for_a_supported_model(modalities: tuple[str, ...]) -> None:
    offered = a_model("meadow/lark:batch", output_modalities=modalities, pricing={})
    assert why_unavailable(offered) is None
    assert why_unusable(offered, supports_all) is None


def test_model_derives_capabilities_from_modalities_and_parameters() -> None:
    plain = a_model()
    assert not plain.vision_supported
    assert not plain.tool_calling_supported
    able = a_model(input_modalities=("image", "text"), supported_parameters=("tools",))
    assert able.vision_supported
    assert able.tool_calling_supported


@pytest.mark.parametrize(
    ("pricing", "parameters", "searches"),
    [
        ({"web_search": "0.01"}, (), True),
        ({"web_search": "0"}, (), False),
        ({"web_search": "-1"}, (), False),
        ({"web_search": "soon"}, (), False),
        ({}, ("web_search_options",), True),
        ({"web_search": "0"}, ("web_search_options",), True),
        ({}, (), False),
    ],
)
def test_model_does_not_infer_web_search_from_a_zero_price(
    pricing: dict[str, str], parameters: tuple[str, ...], searches: bool
) -> None:
    assert a_model(pricing=pricing, supported_parameters=parameters).web_search_supported is searches


@pytest.mark.parametrize(
    ("parameters", "caps"),
    [(("max_tokens",), True), (("max_completion_tokens",), True), (("temperature",), False), ((), False)],
)
def test_model_accepts_either_name_of_the_token_cap(parameters: tuple[str, ...], caps: bool) -> None:
    assert a_model(supported_parameters=parameters).caps_output is caps
