"""What an outside service must be able to say about itself."""

import re
from typing import Protocol

from instant.domain.exchange import Reply, Request
from instant.domain.integration import KeyFacts
from instant.domain.secret import Secret


class Service(Protocol):
    """An outside service that users connect with a key."""

    name: str
    key_shape: re.Pattern[str]

    def key_check(self, key: Secret) -> Request:
        """The free request that tells whether `key` works."""

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """What the reply says; `CredentialRejected` if the key does not work."""
