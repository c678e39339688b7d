"""What OpenRouter really charged, next to what its catalog of 2026-06-08 gives for the same usage."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from instant.domain.catalog import CatalogModel
from instant.domain.exchange import Reply
from instant.domain.pricing import Usage, expected_usd
from instant.integrations.openrouter.catalog import read_listing

DATA = Path(__file__).parents[4] / "shared/data/openrouter"
CATALOG = DATA / "models-2026-06-08.json"

pytestmark = pytest.mark.skipif(not CATALOG.exists(), reason="the recordings are not here")

DRIFT = {
    "01-chat-text": ("anthropic/claude-haiku-4.5", "0"),
    "02-chat-tools-turn-1": ("anthropic/claude-haiku-4.5", "0"),
    "02-chat-tools-turn-2": ("anthropic/claude-haiku-4.5", "0"),
    "04-chat-json-schema": ("anthropic/claude-haiku-4.5", "0"),
    "10-chat-web-search-annotations": ("openai/gpt-5.2", "0"),
    "11-chat-web-search-exa": ("deepseek/deepseek-chat", "-0.000141562"),
    "13-chat-pdf-native": ("google/gemini-2.5-flash", "0"),
    "16-chat-image-output": ("google/gemini-2.5-flash-image", None),
}
"""Catalog less bill in USD: 11 was served dearer than listed; in 16 the tokens of images have no price there."""


@pytest.fixture(scope="module")
def catalog() -> dict[str, CatalogModel]:
    listing = read_listing(Reply(status=200, body=CATALOG.read_bytes()))
    assert listing
    return {model.openrouter_id: model for model in listing.models}


def used(usage: Any) -> Usage:
    """The usage as OpenRouter reported it."""
    prompt, completion = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    return Usage(
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        cached_tokens=prompt["cached_tokens"],
        cache_write_tokens=prompt["cache_write_tokens"],
        audio_tokens=prompt["audio_tokens"],
        reasoning_tokens=completion["reasoning_tokens"],
        image_output_tokens=completion["image_tokens"],
        audio_output_tokens=completion["audio_tokens"],
        web_searches=usage.get("server_tool_use_details", {}).get("web_search_requests", 0),
    )


@pytest.mark.parametrize("name", DRIFT)
def test_the_catalog_s_cost_differs_from_the_bill_by_just_this(catalog: dict[str, CatalogModel], name: str) -> None:
    model, drift = DRIFT[name]
    text = (DATA / "recorded" / f"{name}.response.json").read_text()
    usage = json.loads(text, parse_float=Decimal)["usage"]
    usd = expected_usd(catalog[model], used(usage), datetime(2026, 6, 8, tzinfo=UTC))
    assert (None if usd is None else usd - usage["cost"]) == (None if drift is None else Decimal(drift))
