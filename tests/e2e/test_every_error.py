"""The built artifacts return each error of the table in README.md over HTTP."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from instant.domain.error_bodies.classes import every_error
from tests.e2e.processes import function_processes
from tests.e2e.world import OPENROUTER_KEYS, World, open_world
from tests.local.functions.layout import Built
from tests.local.toy.calling import Reply

pytestmark = pytest.mark.e2e

JSON = {"Content-Type": "application/json"}
BUDGETS = "/api/budgets"
KEYS = "/api/user/integrations/openrouter"
ABSENT = "res_00000000000000000000000000"


class Errors:
    """Causes errors on a running stack; each method causes the error with its name as code."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.resource_id = world.resource("alice", slug="first", visibility="public")["resource_id"]

    def malformed(self) -> Reply:
        return self.world.call("alice", "POST", "/api/resources", b"{", **JSON)

    def unauthenticated(self) -> Reply:
        return self.world.call(None, "GET", "/api/resources")

    def forbidden(self) -> Reply:
        return self.world.call("alice", "POST", "/api/admin/sync-models", {}, **JSON)

    def not_found(self) -> Reply:
        return self.world.call("alice", "GET", f"/api/resources/{ABSENT}")

    def address_taken(self) -> Reply:
        body = {"resource_type": "openrouter_instant", "name": "n", "slug": "first", "config": self._config()}
        return self.world.call("alice", "POST", "/api/resources", body, **JSON)

    def revision_conflict(self) -> Reply:
        path = f"/api/resources/{self.resource_id}"
        return self.world.call("alice", "PATCH", path, {"name": "x"}, **JSON, **{"If-Match": '"99"'})

    def limit_reached(self) -> Reply:
        """Store a number of resources at the limit, instead of creating as many."""
        count = {"resource_id": {"S": "count#user_bob"}, "live": {"N": "100000"}}
        self.world.stack.client("dynamodb").put_item(TableName=self.world.name("RESOURCES_TABLE"), Item=count)
        body = {"resource_type": "openrouter_instant", "name": "n", "config": self._config()}
        return self.world.call("bob", "POST", "/api/resources", body, **JSON)

    def credential_missing(self) -> Reply:
        return self._run("bob")

    def credential_disabled(self) -> Reply:
        self.world.done(200, "alice", "PATCH", KEYS, {"is_enabled": False})
        reply = self._run("alice")
        self.world.done(200, "alice", "PATCH", KEYS, {"is_enabled": True})
        return reply

    def credential_rejected(self) -> Reply:
        key = OPENROUTER_KEYS["eve"]
        self.world.fake.revoked_keys.add(key)
        return self.world.call("bob", "POST", KEYS, {"api_key": key}, **JSON)

    def cost_cap(self) -> Reply:
        self.world.done(200, "alice", "PATCH", KEYS, {"max_cost_per_call_usd": "0"})
        reply = self._run("alice")
        self.world.done(200, "alice", "PATCH", KEYS, {"max_cost_per_call_usd": "0.25"})
        return reply

    def budget_exhausted(self) -> Reply:
        """After one execution, the rest of the budget is below the worst case of the next."""
        body = {"config": self._config(), "resource_type": "openrouter_instant", "inputs": {"prompt": "Hello"}}
        worst = self.world.done(200, "alice", "POST", "/api/resources/preview", body)["worst_case_usd"]
        self.world.done(200, "alice", "PUT", BUDGETS, {"scope": "user", "daily_usd": worst, "monthly_usd": None})
        self._run("alice")
        reply = self._run("alice")
        self.world.done(200, "alice", "PUT", BUDGETS, {"scope": "user", "daily_usd": None, "monthly_usd": None})
        return reply

    def in_progress(self) -> Reply:
        """The first execution still runs after the timeout of the gateway."""
        self._run("alice", "[[fake: slow 25]]", key="slow")
        return self._run("alice", "[[fake: slow 25]]", key="slow")

    def cancelled(self) -> Reply:
        """A repeat of a call that was cancelled while it was streamed."""
        execution_id = self._run("alice", key="stopped").json["execution_id"]
        self.world.stack.client("dynamodb").update_item(
            TableName=self.world.name("EXECUTIONS_TABLE"),
            Key={"execution_id": {"S": execution_id}},
            UpdateExpression="SET error_code = :code",
            ExpressionAttributeValues={":code": {"S": "cancelled"}},
        )
        return self._run("alice", key="stopped")

    def not_cancellable(self) -> Reply:
        execution_id = self._run("alice").json["execution_id"]
        return self.world.call("alice", "POST", f"/api/executions/{execution_id}/cancel")

    def idempotency_mismatch(self) -> Reply:
        self._run("alice", "Hello", key="once")
        return self._run("alice", "Hello again", key="once")

    def too_large(self) -> Reply:
        return self._run("alice", "[[fake: error 413]]")

    def unsupported_media_type(self) -> Reply:
        return self.world.call("alice", "POST", "/api/resources", b"a=b", **{"Content-Type": "text/plain"})

    def invalid_field(self) -> Reply:
        return self.world.call("alice", "GET", "/api/resources?limit=0")

    def model_unavailable(self) -> Reply:
        return self._run("alice", "[[fake: error 404]]")

    def credits_exhausted(self) -> Reply:
        return self._run("alice", "[[fake: error 402]]")

    def moderated(self) -> Reply:
        return self._run("alice", "[[fake: error 403 moderation]]")

    def rate_limited(self) -> Reply:
        return self._run("alice", "[[fake: error 429]]")

    def upstream_error(self) -> Reply:
        return self._run("alice", "[[fake: error 500]]")

    def empty_answer(self) -> Reply:
        return self._run("alice", "[[fake: empty]]")

    def upstream_unavailable(self) -> Reply:
        return self._run("alice", "[[fake: error 503]]")

    def outcome_unknown(self) -> Reply:
        return self._run("alice", "[[fake: hang-up]]")

    def deadline_exceeded(self) -> Reply:
        """The gateway returns it while the execution runs on; then end the process of the function."""
        reply = self._run("alice", "[[fake: slow 60]]")
        for pid in function_processes("ExecuteFunction", self.world.stack.aws_url):
            os.kill(pid, signal.SIGKILL)
        return reply

    def limits_unavailable(self) -> Reply:
        """Without the table of limits, executions fail closed."""
        self.world.stack.client("dynamodb").delete_table(TableName=self.world.name("LIMITS_TABLE"))
        return self._run("alice")

    def internal(self) -> Reply:
        """Delete a table, so that the function fails."""
        self.world.stack.client("dynamodb").delete_table(TableName=self.world.name("RESOURCES_TABLE"))
        return self.world.call("alice", "GET", f"/api/resources/{self.resource_id}")

    def _run(self, user: str, prompt: str = "Hello", key: str | None = None) -> Reply:
        body = {"resource_id": self.resource_id, "inputs": {"prompt": prompt}}
        headers = {"Idempotency-Key": key} if key else {}
        return self.world.call(user, "POST", "/api/execute", body, **JSON, **headers)

    def _config(self) -> Any:
        return self.world.done(200, "alice", "GET", f"/api/resources/{self.resource_id}")["config"]


@pytest.fixture(scope="module")
def errors(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Errors]:
    parameters = {"TimeoutInMillis": "8000", "TableProtection": "off"}  # two tables are deleted
    with open_world(built, tmp_path_factory.mktemp("errors") / "log", parameters=parameters, grace=0) as world:
        world.sync()
        world.connect("alice")
        yield Errors(world)


def test_http_returns_every_error_of_the_table(errors: Errors) -> None:
    table = {error.code: error for error in every_error()}
    last = ("deadline_exceeded", "limits_unavailable", "internal")  # these break the stack for the other errors
    ordered = [*sorted(table.keys() - set(last)), *last]
    for code in ordered:
        cause: Callable[[], Reply] = getattr(errors, code)
        reply = cause()
        error = reply.json["error"]
        assert (reply.status, error["code"], error["retryable"]) == (table[code].status, code, table[code].retryable)
        assert error["message"]
