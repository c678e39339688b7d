"""Recomputes the cost of an answered call from catalog prices, to compare it with the reported cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from instant.domain.catalog.pricing.expected import OCR_PAGE_USD, expected_usd
from instant.domain.catalog.pricing.tiers import Priced
from instant.domain.executions.receipt import Receipt
from instant.domain.money import to_nanousd


class ServedModel(Priced, Protocol):
    """A model that may have served the call, with both ids that a receipt can contain."""

    @property
    def openrouter_id(self) -> str:
        """The id in the catalog."""

    @property
    def canonical_slug(self) -> str:
        """The id without aliases and variants."""


def recomputed_nanousd(
    models: Sequence[ServedModel], receipt: Receipt, at: datetime, *, ocr_pages: int | None = 0
) -> int | None:
    """The cost at the prices of the model that served; None if the usage, the model or its price is unknown.

    The usage does not contain the pages of files that were read for a charge.

    The catalog shows one provider's price, and others are more expensive: a difference is not necessarily an error.
    """
    served = [model for model in models if receipt.model in {model.openrouter_id, model.canonical_slug}]
    if not served or receipt.usage is None or ocr_pages is None:
        return None
    usd = expected_usd(served[0], receipt.usage, at)
    return None if usd is None else to_nanousd(usd + OCR_PAGE_USD * ocr_pages)
