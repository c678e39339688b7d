"""A model's abilities, and every reason why a resource cannot use it."""

from typing import Any

import pytest

from instant.domain.catalog.model import why_unusable
from instant.resource_types.openrouter_instant import OpenRouterInstant
from tests.fakes.builders import a_model

SUPPORTS = OpenRouterInstant().supports

UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "gone": ({"is_active": False, "missing_since": "2026-11-20T03:00:00.000000Z"}, "no longer offered"),
    "batch": ({"openrouter_id": "meadow/lark:batch"}, "only served in batches"),
    "router": ({"pricing": {"prompt": "-1", "completion": "-1"}}, "router without a price"),
    "half a router": ({"pricing": {"prompt": "0.1", "completion": "-1"}}, "router without a price"),
    "no prompt price": ({"pricing": {"completion": "0.1"}}, "router without a price"),
    "no completion price": ({"pricing": {"prompt": "0.1"}}, "router without a price"),
    "no prices": ({"pricing": {}}, "router without a price"),
    "unreadable price": ({"pricing": {"prompt": "NaN", "completion": "0"}}, "router without a price"),
    "wordy price": ({"pricing": {"prompt": "it varies", "completion": "0"}}, "router without a price"),
    "embeds": ({"output_modalities": ("embeddings",)}, "neither text nor images"),
    "makes nothing": ({"output_modalities": ()}, "neither text nor images"),
    "speaks at a hidden price": (
        {"output_modalities": ("text", "audio"), "pricing": {"prompt": "0", "completion": "0"}},
        "has no price for its audio",
    ),
}

USABLE: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "free": {"openrouter_id": "meadow/lark:free", "pricing": {"prompt": "0", "completion": "0"}},
    "alias": {"openrouter_id": "~meadow/lark-latest", "alias_target": "meadow/lark"},
    "thinking": {"openrouter_id": "meadow/lark:thinking"},
    "expiring": {"expiration_date": "2026-11-23"},
    "paints only": {"output_modalities": ("image",)},
    "text and image": {"output_modalities": ("image", "text")},
    "25 characters": {"pricing": {"prompt": "0.00000008333333333333334", "completion": "0"}},
    "no lengths": {"context_length": None, "max_tokens": None},
    "no parameters": {"supported_parameters": ()},
}


def test_model_missing_is_unusable() -> None:
    assert "not in the catalog" in str(why_unusable(None, SUPPORTS))


@pytest.mark.parametrize("case", UNUSABLE)
def test_model_rejects_unusable_oddities_with_a_reason(case: str) -> None:
    changes, reason = UNUSABLE[case]
    assert reason in str(why_unusable(a_model(**changes), SUPPORTS))


@pytest.mark.parametrize("case", USABLE)
def test_model_accepts_usable_oddities(case: str) -> None:
    assert why_unusable(a_model(**USABLE[case]), SUPPORTS) is None


def test_model_derives_abilities_from_modalities_and_parameters() -> None:
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
