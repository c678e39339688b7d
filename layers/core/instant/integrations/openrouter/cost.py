"""The cost that OpenRouter reports for a call: unknown (None), never 0, unless all of it is reported."""

from collections.abc import Mapping
from decimal import localcontext
from typing import Any

from instant.domain.money import MAX_NANOUSD, parse_bill, to_nanousd

_BILL = "upstream_inference_cost"
_PARTS = ("upstream_inference_prompt_cost", "upstream_inference_completions_cost")
"""The provider's bill with the account's own provider key, and the parts of which it is the sum."""


def read_cost(total: object, *, is_byok: object, details: Mapping[str, Any]) -> int | None:
    """The cost of a call in nano-USD.

    With the account's own provider key (`is_byok`), the total is only OpenRouter's fee; add the provider's bill in
    `details`.
    """
    amounts = [total]
    if is_byok:
        amounts += [details.get(_BILL)] if details.get(_BILL) is not None else [details.get(part) for part in _PARTS]
    bills = [bill for amount in amounts if (bill := parse_bill(amount)) is not None]
    if len(bills) < len(amounts):
        return None
    with localcontext(prec=60):
        nanousd = to_nanousd(sum(bills[1:], bills[0]))
    return nanousd if nanousd <= MAX_NANOUSD else None


def reports_cost(usage: Mapping[str, Any]) -> bool:
    """Whether `usage` has a cost, readable or not: only without one can a failed call be taken as free."""
    return usage.get("cost") is not None or bool(usage.get("is_byok"))
