"""A failed call to an outside service: the error response, the cost, and whether the outcome is known."""

from enum import StrEnum

from instant.domain.errors import InstantError
from instant.domain.executions.counted import counts
from instant.domain.executions.receipt import Receipt


class Effect(StrEnum):
    """The effect of a failed call at the service.

    NONE: the service certainly did not begin; the call may be retried. KNOWN: the call ended, and cost nothing unless
    the receipt says otherwise. UNKNOWN: something was sent and no whole reply was read; the call may have been
    carried out and charged, and is never retried.
    """

    NONE = "none"
    KNOWN = "known"
    UNKNOWN = "unknown"


class Failure(Exception):
    """A call without an answer; `error` is the error response, `receipt` the cost that the service reported."""

    def __init__(
        self,
        error: InstantError,
        *,
        receipt: Receipt | None = None,
        effect: Effect = Effect.KNOWN,
        is_counted: bool | None = None,
    ) -> None:
        """Combine the error response with the facts to record.

        `is_counted` says whether this is a failure of the resource, where the error code alone does not tell.
        """
        super().__init__(error.message)
        self.is_counted = counts(error.code) if is_counted is None else is_counted
        self.error = error
        self.effect = effect
        self.receipt = receipt

    @property
    def outcome_unknown(self) -> bool:
        """Whether the call may have been carried out and charged."""
        return self.effect is Effect.UNKNOWN

    @property
    def cost(self) -> Receipt:
        """The receipt to record: without a receipt, a call of known outcome cost nothing."""
        if self.receipt is not None:
            return self.receipt
        return Receipt() if self.outcome_unknown else Receipt(cost_nanousd=0)
