"""The maximum and the expected cost of calls at catalog prices; prices are multiplied only in this package."""

from instant.domain.catalog.pricing.expected import OCR_PAGE_USD, SEARCH_USD, expected_usd, searches_of
from instant.domain.catalog.pricing.price_keys import PRICE_KEYS, PriceKey, Unit
from instant.domain.catalog.pricing.recomputed import recomputed_nanousd
from instant.domain.catalog.pricing.tiers import has_price, highest, price, unreckoned
from instant.domain.catalog.pricing.worst import (
    HIDDEN_PROMPT_TOKENS,
    IMAGE_TOKEN_FACTOR,
    IMAGE_TOKENS,
    MaxUsage,
    price_limits,
    worst_case,
)
from instant.domain.executions.token_usage import Usage

__all__ = [
    "HIDDEN_PROMPT_TOKENS",
    "IMAGE_TOKENS",
    "IMAGE_TOKEN_FACTOR",
    "OCR_PAGE_USD",
    "PRICE_KEYS",
    "SEARCH_USD",
    "MaxUsage",
    "PriceKey",
    "Unit",
    "Usage",
    "expected_usd",
    "has_price",
    "highest",
    "price",
    "price_limits",
    "recomputed_nanousd",
    "searches_of",
    "unreckoned",
    "worst_case",
]
