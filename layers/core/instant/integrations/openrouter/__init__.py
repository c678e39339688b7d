"""OpenRouter: one key, hundreds of models."""

import re

from instant.domain.errors import CredentialRejected, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.integration import KeyFacts
from instant.domain.secret import Secret
from instant.integrations.openrouter.refusals import refusal
from instant.integrations.openrouter.wire import BASE_URL, amount_text, mapping, parse, text


class OpenRouter:
    """Keys begin with `sk-or-` and are checked by `GET /key`, which costs nothing."""

    name = "openrouter"
    key_shape = re.compile(r"sk-or-[A-Za-z0-9_-]{8,250}")

    def key_check(self, key: Secret) -> Request:
        """Ask for the key's own facts."""
        return Request(method="GET", base_url=BASE_URL, path="/key", bearer=key)

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """The key's label, and how many USD it may still spend (None: the key has no cap).

        A management key is refused: it cannot run models, and could make and delete keys of its account.
        """
        if reply.status != 200:
            raise refusal(reply)
        data = mapping(mapping(parse(reply.body)).get("data"))
        if not data:
            raise UpstreamError("OpenRouter's key check gave no readable answer. Try again later.")
        if data.get("is_management_key") is True:
            raise CredentialRejected("This is a management key, which cannot run models. Connect an ordinary API key.")
        return KeyFacts(label=text(data.get("label")), limit_remaining=amount_text(data.get("limit_remaining")))
