"""The models that the chat types support, and the reason for each model that they do not."""

from typing import Any

import pytest

from instant.resource_types import why_unsupported
from instant.resource_types.chat import ChatType
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.prompt_template import PromptTemplate
from tests.fakes.builders import a_model
from tests.toys.announce import Announce

TYPES: list[ChatType] = [OpenRouterInstant(), PromptTemplate()]

UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "batch": ({"openrouter_id": "meadow/lark:batch"}, "only served in batches"),
    "router": ({"pricing": {"prompt": "-1", "completion": "-1"}}, "router without a price"),
    "no completion price, as a router": ({"pricing": {"prompt": "0.1", "completion": "-1"}}, "router without a price"),
    "no prompt price": ({"pricing": {"completion": "0.1"}}, "router without a price"),
    "no completion price": ({"pricing": {"prompt": "0.1"}}, "router without a price"),
    "price that enters no cost": ({"pricing": {"prompt": "1", "completion": "1", "video": "0.01"}}, "(video)"),
    "price of unknown shape": ({"pricing": {"prompt": "1", "completion": "1", "image": "[1]"}}, "(image)"),
    "no prices": ({"pricing": {}}, "router without a price"),
    "unreadable price": ({"pricing": {"prompt": "NaN", "completion": "0"}}, "router without a price"),
    "price in words": ({"pricing": {"prompt": "it varies", "completion": "0"}}, "router without a price"),
    "embeddings": ({"output_modalities": ("embeddings",)}, "neither text nor images"),
    "audio only": ({"output_modalities": ("audio",)}, "neither text nor images"),
    "no output": ({"output_modalities": ()}, "neither text nor images"),
    "audio without a price": (
        {"output_modalities": ("text", "audio"), "pricing": {"prompt": "0", "completion": "0"}},
        "has no price for its audio",
    ),
}

SUPPORTED: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "free": {"openrouter_id": "meadow/lark:free", "pricing": {"prompt": "0", "completion": "0"}},
    "alias": {"openrouter_id": "~meadow/lark-latest", "alias_target": "meadow/lark"},
    "thinking": {"openrouter_id": "meadow/lark:thinking"},
    "expiring": {"expiration_date": "2026-11-23"},
    "missing": {"is_active": False, "missing_since": "2026-11-20T03:00:00.000000Z"},
    "images only": {"output_modalities": ("image",)},
    "text and image": {"output_modalities": ("image", "text")},
    "audio with a price": {"output_modalities": ("text", "audio")},
    "price of 25 characters": {"pricing": {"prompt": "0.00000008333333333333334", "completion": "0"}},
    "no lengths": {"context_length": None, "max_tokens": None},
    "no parameters": {"supported_parameters": ()},
}


@pytest.fixture(params=TYPES, ids=lambda each: each.name)
def chat_type(request: pytest.FixtureRequest) -> ChatType:
    found: ChatType = request.param
    return found


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_supports_returns_the_reason_against_a_model(chat_type: ChatType, case: str) -> None:
    changes, reason = UNSUPPORTED[case]
    assert reason in str(chat_type.supports(a_model(**changes)))


@pytest.mark.parametrize("case", SUPPORTED)
def test_supports_is_none_for_a_usable_model(chat_type: ChatType, case: str) -> None:
    assert chat_type.supports(a_model(**SUPPORTED[case])) is None


def test_supports_is_none_by_default() -> None:
    class AnyModel(Announce):
        name = "any_model"

    for changes, _ in UNSUPPORTED.values():
        assert AnyModel().supports(a_model(**changes)) is None


@pytest.mark.parametrize("case", [case for case in UNSUPPORTED if case != "embeddings"])
def test_why_unsupported_returns_the_first_reason(case: str) -> None:
    model = a_model(**UNSUPPORTED[case][0])
    assert why_unsupported(model) == OpenRouterInstant().supports(model) is not None


def test_why_unsupported_is_none_if_one_type_supports_it() -> None:
    assert why_unsupported(a_model(output_modalities=("embeddings",))) is None
