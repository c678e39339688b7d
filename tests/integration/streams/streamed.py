"""Runs calls on an app as streams, without HTTP, and compares them with buffered ones."""

import json
from dataclasses import dataclass, field
from typing import Any

from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import InstantError
from instant.domain.executions.delivery import deliverable
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.streams.listener import Listener
from tests.integration.app import App
from tests.integration.streams.runs import Events

ALICE = Identity("user_alice", frozenset({Scope.EXECUTE, Scope.READ}))

CHANGING = {
    "execution_id", "run_id", "created_at", "finished_at", "lease_expires_at", "due_at", "expires_at", "latency_ms",
    "generation_id", "early_generation_id", "by_resource", "streamed", "answer", "open_shard",
}  # fmt: skip
"""The attributes of a row that differ between two executions of the same call, and the answer, which has its id."""


@dataclass
class Streamed:
    """What a stream reported, and how it ended: with the body of the response, or of the error."""

    body: dict[str, Any]
    events: Events = field(default_factory=Events)

    @property
    def reasoning(self) -> str:
        """The reasoning that was reported."""
        return "".join(delta.reasoning for delta in self.events.deltas)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The tool calls that were reported."""
        found: dict[int, dict[str, Any]] = {}
        for delta in self.events.deltas:
            if piece := delta.tool_call:
                call = found.setdefault(piece.index, {"id": None, "name": None, "arguments": ""})
                call |= {name: value for name in ("id", "name") if (value := getattr(piece, name))}
                call["arguments"] = piece.arguments if delta.replace else call["arguments"] + piece.arguments
        return [found[index] for index in sorted(found)]

    @property
    def code(self) -> str | None:
        """The error's code; None for an answer."""
        return None if "success" in self.body else str(self.body["error"]["code"])


def stream(
    app: App,
    resource_id: str,
    prompt: str = "Say hello.",
    *,
    key: str | None = None,
    events: Events | None = None,
    listener: Listener | None = None,
    inputs: dict[str, Any] | None = None,
    **more: Any,
) -> Streamed:
    """Execute a call of alice as a stream."""
    events = events or Events()
    inputs = inputs or {"prompt": prompt}
    request = ExecuteRequest(resource_id=resource_id, inputs=inputs, idempotency_key=key, **more)
    deps = app.module("ExecuteFunction").deps
    try:
        return Streamed(deliverable(execute(request, ALICE, lambda: app.seconds, deps, listener or events)), events)
    except InstantError as error:
        return Streamed(json.loads(json.dumps(error.body())), events)


def lasting(row: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a row that are the same in every execution of a call."""
    return {name: value for name, value in row.items() if name not in CHANGING}


def lasting_body(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a response that is the same in every execution of a call."""
    if "error" in body:
        return {**body, "error": {name: value for name, value in body["error"].items() if name != "execution_id"}}
    return {name: value for name, value in body.items() if name != "execution_id"}
