"""What an answered call should have cost by catalog price, to compare with the bill."""

from collections.abc import Sequence
from datetime import datetime

from instant.domain.catalog import CatalogModel
from instant.domain.money import to_nanousd
from instant.domain.pricing.expected import expected_usd
from instant.domain.receipt import Receipt


def recomputed_nanousd(models: Sequence[CatalogModel], receipt: Receipt, at: datetime) -> int | None:
    """The cost at the prices of whichever of `models` served; None where the usage, the model or its price is unknown.

    The catalog shows one provider's price, and others ask more: a difference is a question, not yet a mistake.
    """
    served = [model for model in models if receipt.model in {model.openrouter_id, model.canonical_slug}]
    if not served or receipt.usage is None:
        return None
    return to_nanousd(expected_usd(served[0], receipt.usage, at))
