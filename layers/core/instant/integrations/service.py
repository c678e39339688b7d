"""What an integration says about its service."""

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from instant.domain.access.integration import Grant, KeyFacts
from instant.domain.exchange import Reply, Request
from instant.domain.executions.outcome import CallOutcome
from instant.domain.secret import Secret


class Service:
    """An outside service: where it is reached, and when it certainly did not begin a call."""

    name: str
    base_url: str

    def nothing_done(self, reply: Reply) -> bool:
        """Whether `reply` certainly means that the call was not begun, so that it may be retried."""
        return False


@runtime_checkable
class KeyedService(Protocol):
    """A service that users connect with a key."""

    name: str
    base_url: str
    key_shape: re.Pattern[str]

    def nothing_done(self, reply: Reply) -> bool:
        """Whether `reply` certainly means that the call was not begun, so that it may be retried."""

    def key_check(self, key: Secret) -> Request:
        """The free request that tells whether `key` works."""

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """What the reply says; `CredentialRejected` if the key does not work."""


@runtime_checkable
class Connectable(KeyedService, Protocol):
    """A service that also gives out keys itself, to users who allow it on its `authorize_page` (PKCE, S256)."""

    authorize_page: str

    def authorize_query(self, challenge: str, callback: str | None) -> Mapping[str, str]:
        """What the page is asked; without a `callback` it shows the code to the user."""

    def exchange(self, grant: Grant) -> Request:
        """The request that turns a code into a key, once."""

    def read_exchange(self, reply: Reply) -> Secret:
        """The key, and nothing else of the reply; `CredentialRejected` if the code is not good."""


@runtime_checkable
class Accountable(Protocol):
    """A service that can be asked, later, what became of a call."""

    def outcome_request(self, generation_id: str) -> Request:
        """The free request that asks for it."""

    def read_outcome(self, reply: Reply) -> CallOutcome | None:
        """What the call came to; None if that is not known, or not yet."""
