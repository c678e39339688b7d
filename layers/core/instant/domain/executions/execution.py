"""One execution of a resource, and the states it can be in.

RESERVED ──> SENT ──> DONE      answered, cost booked
    │          ├───> FAILED     the service said no; what it cost is booked
    │          └───> UNKNOWN    sent, and the outcome is not known: never sent again
    │                   ├───> DONE | FAILED   the service told later what became of it
    │                   └───> LOST            it never will: the reservation is booked as spent
    └─ lease over: taken back, as nothing was sent

Calls without an idempotency key and without a budget begin as SENT: nobody could take a reservation of theirs over.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Hold


class State(StrEnum):
    """Where an execution stands."""

    RESERVED = "RESERVED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    LOST = "LOST"


OPEN = (State.RESERVED, State.SENT, State.UNKNOWN)
"""The states that are no end."""


class KeySource(StrEnum):
    """Whose key paid."""

    CALLER = "caller"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known before anything is sent.

    `reserved_nanousd` is the most the call can cost, held back from the budgets in `holds`. `run_id` tells this run
    from another that took the same execution over; `fingerprint` is there when the call has an idempotency key.
    `credential_owner_id`, `key_source` and `service` say whose key for what pays: none where the type needs no key.
    """

    execution_id: str
    run_id: str
    user_id: str
    resource_id: str
    resource_revision: int
    reserved_nanousd: int
    created_at: str
    lease_expires_at: str
    credential_owner_id: str | None = None
    key_source: KeySource | None = None
    service: str | None = None
    model: str | None = None
    api_key_id: str | None = None
    fingerprint: str | None = None
    holds: tuple[Hold, ...] = ()

    @property
    def first_state(self) -> State:
        """A reservation is worth a write of its own only where somebody may take it over or money is held back."""
        return State.RESERVED if self.fingerprint or self.holds else State.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """Where the JSON that the caller got is kept: in the row, or under an object key."""

    text: str | None = None
    object_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an execution ended; `error_code` is None exactly when its caller got an answer.

    `computed_nanousd` is the cost by catalog price, for comparison. `reconciled` marks an end that was learned later,
    when nobody waited for it any more.
    """

    state: State
    receipt: Receipt
    finished_at: str
    answer: StoredAnswer = field(default_factory=StoredAnswer)
    latency_ms: int | None = None
    error_code: str | None = None
    computed_nanousd: int | None = None
    reconciled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as its user sees it; in lists `answer`, `fingerprint` and the lease are left out.

    `was_delivered` marks one whose answer reached its caller, and whose end could not be booked at once.
    """

    execution_id: str
    user_id: str
    resource_id: str
    resource_revision: int
    state: State
    created_at: str
    model: str | None = None
    key_source: str | None = None
    api_key_id: str | None = None
    finished_at: str | None = None
    reconciled_at: str | None = None
    latency_ms: int | None = None
    error_code: str | None = None
    fingerprint: str | None = None
    lease_expires_at: str | None = None
    was_delivered: bool = False
    receipt: Receipt = field(default_factory=Receipt)
    answer: StoredAnswer = field(default_factory=StoredAnswer)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """An execution that is due to be looked after: its lease is over, or its outcome is to be asked for."""

    opening: Opening
    state: State
    generation_id: str | None = None
    finished_at: str | None = None
    error_code: str | None = None
    was_delivered: bool = False
