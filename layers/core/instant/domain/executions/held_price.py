"""Explains the failure of a call under a budget for which every provider charges a price that is held."""

from instant.domain.catalog.price_hold import HOLD
from instant.domain.clock import format_time, parse_time
from instant.domain.errors import CostCap, InstantError, ModelUnavailable
from instant.domain.executions.failure import Failure
from instant.domain.executions.prepared import Prepared, ServingModel


def explain_held_price(failure: Failure, prepared: Prepared) -> Failure:
    """The failure, with the held price as its reason if no provider could serve the call at the old one.

    Under a budget, a call is limited to the catalog's price, which is the old one while another is held.
    """
    held = next((model for model in prepared.models if model.price_held), None)
    if held is None or not prepared.budgets or not _is_about_price(failure.error):
        return failure
    return Failure(_error(held), receipt=failure.receipt, effect=failure.effect, is_counted=failure.is_counted)


def _is_about_price(error: InstantError) -> bool:
    return isinstance(error, CostCap) or (isinstance(error, ModelUnavailable) and error.may_be_price)


def _error(model: ServingModel) -> ModelUnavailable:
    prices = ", ".join(f"{key} {price}" for key, price in sorted(model.price_held.items()))
    since = model.price_held_since
    until = format_time(parse_time(since) + HOLD) if since else None
    return ModelUnavailable(
        f"No provider serves {model.openrouter_id} at its old price. Its announced price ({prices} USD) is held until "
        "it is confirmed, and calls under a budget are limited to the old one. Retry later, or ask an administrator to "
        "accept the price.",
        details={"model": model.openrouter_id, "price_held": dict(model.price_held), "price_held_until": until},
    )
