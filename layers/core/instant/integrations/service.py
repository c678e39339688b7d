"""The interface of a service: requests and the parsing of responses, without I/O."""

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from instant.domain.access.integration import Grant, KeyFacts
from instant.domain.exchange import Reply, Request
from instant.domain.executions.outcome import CallOutcome
from instant.domain.secret import Secret


class Service:
    """An outside service: its base URL, and which replies mean that a call was not begun."""

    name: str
    base_url: str

    def nothing_done(self, reply: Reply) -> bool:
        """Whether `reply` proves that the call was not begun, so that it can be retried."""
        return False

    def retry_after(self, reply: Reply) -> int | None:
        """The seconds to wait before a retry; None if `reply` gives no time."""
        return reply.retry_after


@runtime_checkable
class KeyedService(Protocol):
    """A service with user keys."""

    name: str
    base_url: str
    key_shape: re.Pattern[str]

    def nothing_done(self, reply: Reply) -> bool:
        """Whether `reply` proves that the call was not begun, so that it can be retried."""

    def retry_after(self, reply: Reply) -> int | None:
        """The seconds to wait before a retry; None if `reply` gives no time."""

    def key_check(self, key: Secret) -> Request:
        """A free request that tests `key`."""

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """The facts of the key in the reply; `CredentialRejected` if the key is not valid."""


@runtime_checkable
class Connectable(KeyedService, Protocol):
    """A service that also issues keys to users who consent on its `authorize_page` (PKCE, S256)."""

    authorize_page: str

    def authorize_query(self, challenge: str, callback: str | None) -> Mapping[str, str]:
        """The query of the authorize page; without a `callback` the page shows the code to the user."""

    def exchange(self, grant: Grant) -> Request:
        """The request that exchanges a code for a key; a code can be used once."""

    def read_exchange(self, reply: Reply) -> Secret:
        """The key in the reply; `CredentialRejected` if the code is not valid."""


@runtime_checkable
class Accountable(Protocol):
    """A service whose calls have an outcome that can be looked up later."""

    def outcome_request(self, generation_id: str) -> Request:
        """The free request that looks up the outcome."""

    def read_outcome(self, reply: Reply) -> CallOutcome | None:
        """The outcome of the call; None if it is not known, or not known yet."""
