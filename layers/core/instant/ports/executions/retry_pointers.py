"""Which idempotency key the latest request with a certain content was given, for clients that send none."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPointer:
    """An idempotency key; `received_at` is when the gateway received its request, in milliseconds since 1970.

    `by_retry` says that this request called itself a retry.
    """

    key: str
    received_at: int
    by_retry: bool


class RetryPointers(Protocol):
    """One pointer for each content; each write is conditional, and says which pointer is stored now."""

    def begin(self, name: str, pointer: RetryPointer) -> RetryPointer:
        """Store the pointer of a first request, unless a retry has overtaken it: one that was received later."""

    def join(self, name: str, pointer: RetryPointer, *, since: int) -> RetryPointer:
        """Store the pointer of a retry, unless there is one that was received at or after `since`."""

    def forget(self, name: str, key: str) -> None:
        """Let later retries begin anew, if the pointer still has this key."""
