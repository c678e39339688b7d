"""What a service says later about a call whose answer never came."""

from dataclasses import dataclass

from instant.domain.executions.receipt import Receipt


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What the call cost, and whether the model finished it."""

    receipt: Receipt
    was_answered: bool
