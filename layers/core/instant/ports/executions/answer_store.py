"""The answers of executions."""

from typing import Protocol

from instant.domain.executions.execution import StoredAnswer


class AnswerStore(Protocol):
    """Stored answers: small ones in the row, large ones in the bucket."""

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        """Store `text` permanently and return its location."""

    def read(self, answer: StoredAnswer) -> str | None:
        """The stored text; None if there is none, or it no longer exists."""
