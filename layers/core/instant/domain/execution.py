"""One execution of a resource, and the states it can be in.

RESERVED ──> SENT ──> DONE     answered, cost booked
                ├───> FAILED   the service said no; what it cost is booked
                └───> UNKNOWN  sent, and the outcome is not known: never sent again
"""

from dataclasses import dataclass, field
from enum import StrEnum

from instant.domain.receipt import Receipt


class State(StrEnum):
    """Where an execution stands."""

    RESERVED = "RESERVED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class KeySource(StrEnum):
    """Whose key paid."""

    CALLER = "caller"
    OWNER = "owner"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is known before anything is sent; `reserved_nanousd` is the most the call can cost."""

    execution_id: str
    user_id: str
    payer_id: str
    key_source: KeySource
    resource_id: str
    resource_revision: int
    model: str
    reserved_nanousd: int
    created_at: str
    lease_expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """Where the JSON that the caller got is kept: in the row, or under an object key."""

    text: str | None = None
    object_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an execution ended; `error_code` is None exactly when it succeeded."""

    state: State
    receipt: Receipt
    answer: StoredAnswer
    finished_at: str
    latency_ms: int
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as its user sees it; in lists `answer` is left out."""

    execution_id: str
    user_id: str
    resource_id: str
    resource_revision: int
    state: State
    model: str
    key_source: str
    created_at: str
    finished_at: str | None = None
    latency_ms: int | None = None
    error_code: str | None = None
    receipt: Receipt = field(default_factory=Receipt)
    answer: StoredAnswer = field(default_factory=StoredAnswer)
