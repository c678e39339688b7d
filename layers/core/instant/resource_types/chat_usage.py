"""The maximum usage of one chat request: its tokens, turns, searches and pages."""

import json
from collections.abc import Sequence
from decimal import Decimal

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import OCR_PAGE_USD, SEARCH_USD, MaxUsage
from instant.resource_types.media_usage import MediaUsage
from instant.resource_types.messages.content import Content
from instant.resource_types.model_settings import ModelSettings, parameters

RESULT_CHARACTERS = 1_000
"""Maximum length of each web search result in characters."""

FRAME_TOKENS = 32
"""Maximum tokens that the structure of a message, or of one of its parts, adds to its text."""

TOOL_TOKENS = 1_000
"""Maximum tokens that providers add to the prompt of a call with tools: 350 are common."""

_BYTES_PER_CHARACTER = 4

_RESULT_USD = Decimal("0.004")


def search_by_themselves(models: Sequence[CatalogModel]) -> bool:
    """Whether any of the models searches by itself."""
    return any(model.own_searches != 0 for model in models)


def max_usage_of(
    settings: ModelSettings,
    content: Content,
    models: Sequence[CatalogModel],
    length: int,
    *,
    media: MediaUsage,
    makes_images: bool,
) -> MaxUsage:
    """The maximum usage of the call.

    A model that searches by itself is not given the search tool. One without a limit can read its whole context again
    after each search.
    """
    texts = [settings.system_prompt or "", *content.texts, json.dumps(parameters(settings))]
    tokens = sum(len(text.encode()) + FRAME_TOKENS for text in texts) + (media.tokens or 0)
    tokens += TOOL_TOKENS if settings.tools else 0
    extra, rounds = OCR_PAGE_USD * media.ocr_pages, 1
    search, is_unlimited = settings.web_search, any(model.own_searches is None for model in models)
    if search and is_unlimited:
        rounds += search.max_uses
    elif search and not search_by_themselves(models):
        rounds += search.max_uses + 1  # one more turn after the last search, for the answer
        tokens += search.max_uses * search.max_results * RESULT_CHARACTERS * _BYTES_PER_CHARACTER
        tokens += (rounds - 1) * length  # each turn reads the output of all previous turns again
        extra += search.max_uses * max(SEARCH_USD, search.max_results * _RESULT_USD)
    return MaxUsage(
        prompt_tokens=tokens,
        completion_tokens=length,
        rounds=rounds,
        images=media.images,
        makes_images=makes_images,
        reads_whole_context=is_unlimited or media.tokens is None,
        own_searches=search.max_uses if search else 1,
        extra_usd=extra,
    )
