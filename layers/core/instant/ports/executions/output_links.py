"""Links to the outputs of executions."""

from typing import Protocol

from instant.domain.executions.delivery import Document


class OutputLinks(Protocol):
    """Outputs as files."""

    def link(self, execution_id: str, document: Document, *, seconds: int) -> str:
        """Store the document if it is not stored yet, and return a URL that anyone can read for `seconds`."""
