"""The outcome of a call without a response, as the service reports it later."""

from dataclasses import dataclass

from instant.domain.executions.receipt import Receipt


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The cost of the call, and whether the model completed it."""

    receipt: Receipt
    was_answered: bool
