"""What an answered call should have cost by catalog price, to compare with the bill."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from instant.domain.catalog.pricing.expected import expected_usd
from instant.domain.catalog.pricing.tiers import Priced
from instant.domain.executions.receipt import Receipt
from instant.domain.money import to_nanousd


class ServedModel(Priced, Protocol):
    """A model that may have served, by both names under which a receipt may name it."""

    @property
    def openrouter_id(self) -> str:
        """The id in the catalog."""

    @property
    def canonical_slug(self) -> str:
        """The id without aliases and variants."""


def recomputed_nanousd(models: Sequence[ServedModel], receipt: Receipt, at: datetime) -> int | None:
    """The cost at the prices of whichever of `models` served; None where the usage, the model or its price is unknown.

    The catalog shows one provider's price, and others ask more: a difference is a question, not yet a mistake.
    """
    served = [model for model in models if receipt.model in {model.openrouter_id, model.canonical_slug}]
    if not served or receipt.usage is None:
        return None
    return to_nanousd(expected_usd(served[0], receipt.usage, at))
