"""The calls of a schedule, and the responses to them."""

import json
from dataclasses import dataclass
from typing import Any

from instant.domain.access.identity import Identity, Scope
from instant.domain.resources.resource import Visibility
from instant.use_cases.executions.prepare import ExecuteRequest
from tests.fakes.builders import a_model, a_resource

INVOCATION_SECONDS = 120.0
"""Timeout of an invocation that executes, as in the template."""

STREAM_SECONDS = 890.0
"""Timeout of an invocation that streams, as in the template."""

MODEL = a_model()
RESOURCE = a_resource(visibility=Visibility.PUBLIC, config={"model": MODEL.openrouter_id, "max_tokens": 100})


@dataclass(frozen=True)
class Call:
    """A call and its retries; without an idempotency key it has none."""

    label: str
    user_id: str
    key_id: str | None
    key: str | None
    prompt: str
    is_streamed: bool = False

    @property
    def request(self) -> ExecuteRequest:
        """The request that is sent."""
        return ExecuteRequest(
            resource_id=RESOURCE.resource_id, inputs={"prompt": self.prompt}, idempotency_key=self.key
        )

    @property
    def fingerprint(self) -> str | None:
        """The hash of the request; None without an idempotency key."""
        idempotent = self.request.idempotent(self.user_id)
        return idempotent.fingerprint if idempotent else None

    @property
    def caller(self) -> Identity:
        """The identity of the caller."""
        return Identity(self.user_id, frozenset({Scope.EXECUTE}), self.key_id)

    @property
    def owner(self) -> Identity:
        """The identity of the caller, with a token that may read everything of the user."""
        return Identity(self.user_id, frozenset({Scope.EXECUTE, Scope.READ}))

    @property
    def seconds(self) -> float:
        """The timeout of an invocation for it."""
        return STREAM_SECONDS if self.is_streamed else INVOCATION_SECONDS


@dataclass(frozen=True)
class Outcome:
    """The response to a call."""

    call: Call
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The body as text, to compare byte for byte."""
        return json.dumps(self.body, separators=(",", ":"))

    @property
    def code(self) -> str | None:
        """The error code, if the call failed."""
        return str(self.body["error"]["code"]) if "error" in self.body else None

    @property
    def execution_id(self) -> str:
        """The id of the execution, or an empty string."""
        return str(self.body.get("execution_id") or self.body.get("error", {}).get("execution_id") or "")
