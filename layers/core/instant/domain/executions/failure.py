"""A failed call to an outside service: what its caller is answered, what it cost, and whether its outcome is known."""

from enum import StrEnum

from instant.domain.errors import InstantError
from instant.domain.executions.receipt import Receipt


class Effect(StrEnum):
    """What a failed call did at the service.

    NONE: the service certainly did not begin; the call may be retried. KNOWN: the call ended, and cost nothing unless
    the receipt says otherwise. UNKNOWN: something was sent and no whole reply was read; the call may have been
    carried out and charged, and is never retried.
    """

    NONE = "none"
    KNOWN = "known"
    UNKNOWN = "unknown"


class Failure(Exception):
    """A call that gave no answer; `error` is what its caller is answered, `receipt` what the service said it cost."""

    def __init__(self, error: InstantError, *, receipt: Receipt | None = None, effect: Effect = Effect.KNOWN) -> None:
        """Keep what is answered beside what is recorded."""
        super().__init__(error.message)
        self.error = error
        self.effect = effect
        self.receipt = receipt

    @property
    def outcome_unknown(self) -> bool:
        """Whether the call may have been carried out and charged."""
        return self.effect is Effect.UNKNOWN

    @property
    def cost(self) -> Receipt:
        """What to record: without a receipt a call of known outcome cost nothing."""
        if self.receipt is not None:
            return self.receipt
        return Receipt() if self.outcome_unknown else Receipt(cost_nanousd=0)
