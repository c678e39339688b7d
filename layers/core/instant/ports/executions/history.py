"""Past executions."""

from typing import Protocol

from instant.domain.executions.execution import Execution
from instant.domain.page import Page, PageRequest


class ExecutionReader(Protocol):
    """Reads single executions."""

    def get(self, execution_id: str) -> Execution | None:
        """The execution, from a consistent read."""

    def is_cancelled(self, execution_id: str) -> bool:
        """Whether its caller asked for it to be stopped, from a consistent read with a short timeout."""


class ExecutionHistory(Protocol):
    """Past executions."""

    def of_user(self, user_id: str, page: PageRequest) -> Page[Execution]:
        """A user's executions, newest first."""

    def of_key(self, api_key_id: str, page: PageRequest) -> Page[Execution]:
        """The executions of an API key, newest first."""

    def since(self, user_id: str, since: str, page: PageRequest) -> Page[Execution]:
        """A user's executions at or after `since`, newest first; each page but the last is full."""
