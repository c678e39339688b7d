"""Budgets of an app, set and read through the API, and the clocks that reset them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from instant.domain.money import to_nanousd
from tests.fakes.clock import FakeClock
from tests.integration.app import CHEAP_MODEL, EVERYTHING, Answer, App, set_clock

BUDGETS = "/api/budgets"
CLOCKED = ("ExecuteFunction", "ReconcileFunction", "BudgetsFunction")


@contextmanager
def set_clocks(app: App, clock: FakeClock) -> Iterator[None]:
    """Set the clock of every function that uses budgets."""
    before = {function: app.module(function).deps for function in CLOCKED}
    for function in CLOCKED:
        set_clock(app, clock, function)
    yield
    for function, deps in before.items():
        app.module(function).deps = deps


@dataclass(frozen=True)
class Budgets:
    """The budgets of one app."""

    app: App = field(repr=False)

    def put(
        self, scope: str = "user", daily: Any = None, monthly: Any = None, *, user: str = "alice", **more: Any
    ) -> Answer:
        """Set a budget and return the response; `more` has its id, and the scopes of the token."""
        scopes = more.pop("scopes", EVERYTHING)
        body = {"scope": scope, "daily_usd": daily, "monthly_usd": monthly, **more}
        return self.app.call("PUT", BUDGETS, body, user=user, scopes=scopes)

    def set(self, *fields: Any, **more: Any) -> dict[str, Any]:
        """Set a budget, assert success and return the budget."""
        answer = self.put(*fields, **more)
        assert answer.status == 200, answer.text
        return dict(answer.json)

    def all(self, user: str = "alice", scopes: str = EVERYTHING) -> list[dict[str, Any]]:
        """Return all budgets that a user can read."""
        answer = self.app.call("GET", BUDGETS, user=user, scopes=scopes)
        assert answer.status == 200, answer.text
        assert (answer.json["next_cursor"], answer.json["total"]) == (None, len(answer.json["data"]))
        return list(answer.json["data"])

    def one(self, scope: str = "user", *, user: str = "alice", **query: str) -> dict[str, Any]:
        """Return one budget, read by its owner."""
        answer = self.app.call("GET", BUDGETS, user=user, query={"scope": scope, **query})
        assert answer.status == 200, answer.text
        (row,) = answer.json["data"]
        return dict(row)

    def worst(self, prompt: str = "Say hello.") -> int:
        """Return the worst-case cost of an execution of `App.resource`, in nano-USD."""
        config = {"model": CHEAP_MODEL, "max_tokens": 200}
        draft = {"resource_type": "openrouter_instant", "config": config, "inputs": {"prompt": prompt}}
        return nanousd(self.app.call("POST", "/api/resources/preview", draft).json["worst_case_usd"])

    def run(
        self, resource_id: str, prompt: str = "Say hello.", *, user: str = "alice", key_id: str | None = None
    ) -> Answer:
        """Execute a resource, with this API key or none."""
        body = {"resource_id": resource_id, "inputs": {"prompt": prompt}}
        return self.app.call("POST", "/api/execute", body, user=user, key_id=key_id)

    def rows(self, subject: str = "") -> list[tuple[int, int]]:
        """Return what is committed and spent in each row of one budget, or of all."""
        return [
            (int(row["committed"]["N"]), int(row.get("spent", {"N": "0"})["N"]))
            for row in self.app.table("LIMITS_TABLE")
            if row["name"]["S"].startswith(f"spend#{subject}")
        ]


def nanousd(text: str) -> int:
    """Convert an amount in a response to nano-USD."""
    return to_nanousd(Decimal(text))


def spent(row: dict[str, Any], period: str = "day") -> Sequence[int | None]:
    """Return what a budget has spent, reserved and left, in nano-USD."""
    amounts = (row[period][name] for name in ("spent_usd", "reserved_usd", "left_usd"))
    return [nanousd(amount) if amount is not None else None for amount in amounts]
