"""What keeping books of executions needs from outside."""

from dataclasses import dataclass

from instant.ports import Clock
from instant.ports.books import AnswerStore, ExecutionReader, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The ledger, what stands in it, the answers that were given, and the time."""

    ledger: Ledger
    executions: ExecutionReader
    answers: AnswerStore
    clock: Clock
