"""One execution of a resource, and its state machine.

RESERVED ──> SENT ──> DONE      answered, cost recorded
    │          ├───> FAILED     the service returned an error; its cost is recorded
    │          └───> UNKNOWN    sent, outcome unknown: never retried
    │                   ├───> DONE | FAILED   the outcome was looked up later
    │                   └───> LOST            the outcome stays unknown: the reservation is recorded as spent
    └─ lease expired: reclaimed, since nothing was sent

Calls without an idempotency key and without a budget begin as SENT: their reservation could not be taken over.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from instant.domain.access.identity import Identity
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Hold


class State(StrEnum):
    """The state of an execution."""

    RESERVED = "RESERVED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    LOST = "LOST"


OPEN = (State.RESERVED, State.SENT, State.UNKNOWN)
"""The states that are not final."""


class KeySource(StrEnum):
    """The owner of the key that was used: the caller or the platform."""

    CALLER = "caller"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The facts of an execution that are known before anything is sent.

    `reserved_nanousd` is the maximum cost of the call, reserved in the budgets of `holds`. `run_id` is a fencing token:
    it distinguishes this run from another that took over the execution. `fingerprint` is set when the call has an
    idempotency key. `credential_owner_id`, `key_source`, `service` and `ciphertext_sha256` identify the key; None if
    the type needs no key. `by_owner` says whether the caller owns the resource; None in rows of earlier versions.
    `streamed` says that the run renews its lease and can be cancelled.
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
    ciphertext_sha256: str | None = None
    model: str | None = None
    api_key_id: str | None = None
    by_owner: bool | None = None
    streamed: bool = False
    fingerprint: str | None = None
    holds: tuple[Hold, ...] = ()

    @property
    def first_state(self) -> State:
        """RESERVED, a write of its own, is needed only if another run can take over or money is reserved."""
        return State.RESERVED if self.fingerprint or self.holds else State.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """Where the response JSON is stored: in the row, or under an object key."""

    text: str | None = None
    object_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an execution ended; `error_code` is None if and only if the call was answered.

    `computed_nanousd` is the cost at catalog prices, for comparison. `claimed_nanousd` is an implausible cost, which is
    not recorded until the service repeats it. `counts` says whether the outcome counts as a success or failure of the
    resource, `frees_shared` whether a lost call is not recorded as spent in budgets that several users share.
    `reconciled` marks an outcome that the reconciler recorded after the caller's request had ended.
    """

    state: State
    receipt: Receipt
    finished_at: str
    answer: StoredAnswer = field(default_factory=StoredAnswer)
    latency_ms: int | None = None
    error_code: str | None = None
    computed_nanousd: int | None = None
    claimed_nanousd: int | None = None
    counts: bool = True
    frees_shared: bool = False
    reconciled: bool = False

    @property
    def was_delivered(self) -> bool:
        """Whether the caller got the answer although the outcome cannot be recorded yet."""
        return self.state is State.UNKNOWN and self.error_code is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as shown to its user; lists omit `answer`, `fingerprint`, the lease and what streams have.

    `was_delivered` marks an execution whose answer was delivered before its outcome could be recorded. One that is
    `streamed` can be cancelled until it has ended.
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
    streamed: bool = False
    cancel_requested_at: str | None = None
    receipt: Receipt = field(default_factory=Receipt)
    answer: StoredAnswer = field(default_factory=StoredAnswer)

    def visible_to(self, caller: Identity) -> bool:
        """Whether `caller` may read it and all that it produced; without the scope read, only what its key executed."""
        is_readable = caller.reads_all or (self.api_key_id is not None and self.api_key_id == caller.key_id)
        return self.user_id == caller.user_id and is_readable


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """An execution that is due for reconciliation: its lease expired, or its outcome must be looked up.

    `receipt` has the facts of its answer that are recorded already.
    """

    opening: Opening
    state: State
    generation_id: str | None = None
    finished_at: str | None = None
    error_code: str | None = None
    claimed_nanousd: int | None = None
    was_delivered: bool = False
    receipt: Receipt = field(default_factory=Receipt)
