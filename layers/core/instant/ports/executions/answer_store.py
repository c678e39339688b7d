"""The answers of executions."""

from typing import Protocol

from instant.domain.executions.execution import StoredAnswer


class AnswerStore(Protocol):
    """Answers: small ones stay in the row, large ones go to the bucket."""

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        """Store `text` for good and say where it is."""

    def read(self, answer: StoredAnswer) -> str | None:
        """The text again; None when there is none, or none any more."""
