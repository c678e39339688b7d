"""An execution whose key changes after prepare and before perform is rejected at no cost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import CredentialDisabled, CredentialMissing, CredentialRejected, InstantError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import Prepared
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.resource_type import Flow
from instant.use_cases.executions.deps import ExecuteDeps
from instant.use_cases.executions.perform import perform
from instant.use_cases.executions.prepare import ExecuteRequest, prepare
from instant.use_cases.executions.record import record
from tests.fakes.whole_replies import WholeReplies
from tests.integration.app import GOOD_KEY, App

PATH = "/api/user/integrations/openrouter"
OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4
BUDGET = {"scope": "user", "daily_usd": "1", "monthly_usd": None}
ALICE = Identity("user_alice", frozenset({Scope.EXECUTE}))


def deps_of(app: App) -> ExecuteDeps:
    deps = app.module("ExecuteFunction").deps
    assert isinstance(deps, ExecuteDeps)
    return deps


def prepared(app: App, key: str | None) -> Prepared:
    request = ExecuteRequest(
        resource_id=app.resource()["resource_id"], inputs={"prompt": "Hello."}, idempotency_key=key
    )
    return prepare(request, ALICE, deps_of(app))


def run(app: App, execution: Prepared, deps: ExecuteDeps | None = None) -> dict[str, Any]:
    deps = deps or deps_of(app)
    with record(execution, lambda: 60.0, deps.ledger) as recording:
        return recording.finish(perform(execution, recording, lambda: 60.0, deps))


CHANGES: dict[str, tuple[Callable[[App], object], type[InstantError]]] = {
    "replaced": (lambda app: app.connect(key=OTHER_KEY), CredentialMissing),
    "encrypted again": (lambda app: app.connect(), CredentialMissing),
    "deleted": (lambda app: app.call("DELETE", PATH), CredentialMissing),
    "disabled": (lambda app: app.call("PATCH", PATH, {"is_enabled": False}), CredentialDisabled),
    "rejected": (lambda app: reject(app), CredentialRejected),
}


def reject(app: App) -> None:
    """Have OpenRouter reject the key when it is tested."""
    app.fake.revoked_keys.add(GOOD_KEY)
    assert app.call("POST", f"{PATH}/test").status == 409


@pytest.mark.parametrize("key", [None, "order-1"], ids=["plain", "with a key and a budget"])
@pytest.mark.parametrize("change", CHANGES)
def test_perform_rejects_a_key_that_changed_after_prepare(seeded: App, change: str, key: str | None) -> None:
    if key:
        assert seeded.call("PUT", "/api/budgets", BUDGET).status == 200
    execution = prepared(seeded, key)
    act, expected = CHANGES[change]
    act(seeded)
    seeded.fake.forget_requests()
    with pytest.raises(expected):
        run(seeded, execution)
    assert (seeded.table("EXECUTIONS_TABLE"), seeded.fake.chat_requests) == ([], [])
    if key:
        assert seeded.call("GET", "/api/budgets").json["data"][0]["day"]["reserved_usd"] == "0"


def test_perform_uses_an_unchanged_key(seeded: App) -> None:
    assert run(seeded, prepared(seeded, None))["success"] is True
    assert seeded.fake.chat_requests[0].headers["authorization"] == f"Bearer {GOOD_KEY}"


class Recorder(WholeReplies):
    """An upstream client that records the destination of each request and whether it has a key."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, bool]] = []

    def send(self, request: Request, *, seconds: float) -> Reply:
        self.seen.append((request.integration or request.base_url, request.bearer is not None))
        return Reply(status=200, body=b'{"choices":[{"message":{"content":"Hi."}}],"usage":{"cost":0}}')


class Detour(OpenRouterInstant):
    """A resource type that sends requests to other services before it calls the model."""

    name = "detour"

    def flow(self, plan: Plan) -> Flow:
        yield Request(method="GET", base_url="https://elsewhere.example", path="/", spends=False)
        yield Request(method="GET", integration="megaphone", path="/", spends=False)
        return (yield from super().flow(plan))


def test_a_key_is_sent_to_its_own_integration_only(seeded: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RESOURCE_TYPES, "detour", Detour())
    recorder = Recorder()
    execution = replace(prepared(seeded, None), resource_type="detour")
    run(seeded, execution, replace(deps_of(seeded), upstream=recorder))
    assert recorder.seen == [("https://elsewhere.example", False), ("megaphone", False), ("openrouter", True)]
