"""Past executions."""

from typing import Protocol

from instant.domain.executions.execution import Execution
from instant.domain.page import Page, PageRequest


class ExecutionReader(Protocol):
    """One execution at a time."""

    def get(self, execution_id: str) -> Execution | None:
        """The execution, read consistently."""


class ExecutionHistory(Protocol):
    """Past executions."""

    def of_user(self, user_id: str, page: PageRequest) -> Page[Execution]:
        """A user's executions, newest first."""

    def since(self, user_id: str, since: str, page: PageRequest) -> Page[Execution]:
        """A user's executions from this moment on, newest first; the page is full unless it is the last."""
