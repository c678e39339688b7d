"""A toy integration with keys; a new integration needs only one such file."""

import json
import re

from instant.domain.access.integration import KeyFacts
from instant.domain.errors import CredentialRejected, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.secret import Secret
from instant.integrations.service import Service


class Megaphone(Service):
    """Keys begin with `mega-` and are checked with `GET /me`; the service returns 503 if it is busy."""

    name = "megaphone"
    key_shape = re.compile(r"mega-[a-z0-9]{8}")

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def nothing_done(self, reply: Reply) -> bool:
        """A request that gets 503 was not begun."""
        return reply.status == 503

    def key_check(self, key: Secret) -> Request:
        """The request that reads the owner of the key."""
        return Request(method="GET", integration=self.name, path="/me", bearer=key)

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """The name of the owner, and the remaining USD."""
        if reply.status == 401:
            raise CredentialRejected("The megaphone does not know the key. Connect another.")
        if reply.status != 200:
            raise UpstreamError("The megaphone does not answer.")
        owner = json.loads(reply.body)
        return KeyFacts(label=owner["name"], limit_remaining=owner["left"])
