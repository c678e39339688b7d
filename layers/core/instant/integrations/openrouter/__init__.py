"""OpenRouter: one key, hundreds of models."""

import json
import re
from collections.abc import Mapping

from instant.domain.access.integration import Grant, KeyFacts
from instant.domain.errors import CredentialRejected, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.outcome import CallOutcome
from instant.domain.secret import Secret
from instant.integrations.openrouter.errors import error_of, nothing_done, retry_after
from instant.integrations.openrouter.generation import outcome_request, read_outcome
from instant.integrations.openrouter.parsing import BASE_URL, NAME, amount_text, fact, mapping, parse, text
from instant.integrations.service import Service

_MASKED = re.compile(r"(sk-or-(?:v\d+-)?)[A-Za-z0-9_-]+")
"""A key, or its prefix, in a label: OpenRouter labels a key with its first and last characters."""


class OpenRouter(Service):
    """Keys begin with `sk-or-` and are tested with `GET /key`, which is free; PKCE issues new ones."""

    name = NAME
    base_url = BASE_URL
    key_shape = re.compile(r"sk-or-[A-Za-z0-9_-]{8,250}")
    authorize_page = "https://openrouter.ai/auth"

    def nothing_done(self, reply: Reply) -> bool:
        """Whether the provider had no capacity or a rate limit was exceeded, so that no model was run."""
        return nothing_done(reply)

    def retry_after(self, reply: Reply) -> int | None:
        """The wait in the headers, or in the body, where OpenRouter repeats the limits of providers."""
        return retry_after(reply)

    def key_check(self, key: Secret) -> Request:
        """Request the facts of the key."""
        return Request(method="GET", integration=NAME, path="/key", bearer=key)

    def read_key_check(self, reply: Reply) -> KeyFacts:
        """The key's label, and its remaining limit in USD (None: the key has no limit).

        The key's first characters are removed from the label; its last ones are enough to identify it.
        A management key is rejected: it cannot run models, and could create and delete keys of its account.
        """
        if reply.status != 200:
            raise error_of(reply)
        data = mapping(mapping(parse(reply)).get("data"))
        if not data:
            raise UpstreamError("OpenRouter's response to the key check could not be parsed. Retry later.")
        if data.get("is_management_key") is True:
            raise CredentialRejected("This is a management key, which cannot run models. Connect an ordinary API key.")
        label = _MASKED.sub(r"\1", text(data.get("label")) or "")
        return KeyFacts(label=fact(label), limit_remaining=amount_text(data.get("limit_remaining")))

    def authorize_query(self, challenge: str, callback: str | None) -> Mapping[str, str]:
        """OpenRouter has no `state` parameter, so `state` is part of the callback URL."""
        back = {} if callback is None else {"callback_url": callback}
        return {**back, "code_challenge": challenge, "code_challenge_method": "S256"}

    def exchange(self, grant: Grant) -> Request:
        """A code can be used once, within ten minutes."""
        body = {
            "code": grant.code.reveal(),
            "code_verifier": grant.verifier.reveal(),
            "code_challenge_method": "S256",
        }
        return Request(
            method="POST",
            integration=NAME,
            path="/auth/keys",
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )

    def read_exchange(self, reply: Reply) -> Secret:
        """The key; the account id in the response is ignored."""
        if reply.status == 429:
            raise error_of(reply)
        if 400 <= reply.status < 500 and reply.status != 408:
            raise CredentialRejected("OpenRouter does not accept the code.")
        key = text(mapping(parse(reply)).get("key")) if reply.status == 200 else None
        if key is None:
            raise UpstreamError("OpenRouter's response to the code exchange contains no key.")
        return Secret(key)

    def outcome_request(self, generation_id: str) -> Request:
        """The record of a call is available after some seconds, to the key that made the call."""
        return outcome_request(generation_id)

    def read_outcome(self, reply: Reply) -> CallOutcome | None:
        """The outcome and the cost of the call."""
        return read_outcome(reply)
