"""AWS calls, write units and CPU time of the ledger: plain, with an idempotency key, with budgets."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

from tests.bench.setup import PROMPT, Row, Setup, build
from tests.bench.warm_cpu import candidate
from tests.bench.write_units import units_of
from tests.integration.app import App, deployed_app
from tests.integration.aws_calls import operations, recorded

ROUNDS, CALLS = 5, 40
_NUMBERS = count(1)


@dataclass(frozen=True)
class Kind:
    """A kind of call."""

    name: str
    has_key: bool = False
    has_budgets: bool = False

    def headers(self) -> dict[str, str]:
        """A new idempotency key, if this kind has one."""
        return {"Idempotency-Key": f"bench-{next(_NUMBERS)}"} if self.has_key else {}


KINDS = (
    Kind("plain"),
    Kind("with an idempotency key", has_key=True),
    Kind("with a user's budgets for day and month", has_budgets=True),
    Kind("with both", has_key=True, has_budgets=True),
)


def measure(setup: Setup) -> list[Row]:
    """Calls and units with the simulated AWS in this process; CPU time in the process of execute."""
    with deployed_app() as app:
        app.sync()
        app.connect()
        resource_id = app.resource()["resource_id"]
        costs = {kind.name: _ledger_cost(app, resource_id, kind) for kind in KINDS}
    spent = _cpu(setup)
    base_units, base_cpu = costs["plain"][1], median(spent["plain"])
    return [
        Row(
            f"ledger of an execution, {kind.name}",
            f"{costs[kind.name][0]}; {costs[kind.name][1]} write units ({costs[kind.name][1] / base_units:.2f}x), "
            f"{median(spent[kind.name]):.2f} ms CPU ({median(spent[kind.name]) / base_cpu:.2f}x)",
        )
        for kind in KINDS
    ]


def _ledger_cost(app: App, resource_id: str, kind: Kind) -> tuple[str, int]:
    """The AWS calls and the write units of one warm execution."""
    body = {"resource_id": resource_id, "inputs": {"prompt": PROMPT}}
    _set_budgets(kind, lambda method, path, budget: app.call(method, path, budget))

    def run() -> None:
        answer = app.call("POST", "/api/execute", body, headers=kind.headers())
        assert answer.status == 200, answer.text

    run()
    with recorded("dynamodb", "kms", "s3") as calls, recorded("dynamodb", short_timeout=True) as short_timeout:
        units_by_operation = units_of(run)
    names = [
        name for name in operations([*calls, *short_timeout]) if name not in {"Scan", "DescribeTable", "ListTables"}
    ]
    counted = ", ".join(name if times == 1 else f"{times} {name}" for name, times in Counter(names).items())
    return f"{len(names)} AWS calls: {counted}", units_by_operation.total


def _set_budgets(kind: Kind, call: Callable[[str, str, dict[str, Any]], Any]) -> None:
    caps = {"daily_usd": "900", "monthly_usd": "1000"} if kind.has_budgets else {"daily_usd": None, "monthly_usd": None}
    call("PUT", "/api/budgets", {"scope": "user", **caps})


def _cpu(setup: Setup) -> dict[str, list[float]]:
    """Milliseconds per call by kind, in alternating rounds."""
    spent: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    with candidate(setup, build(), "functions.execute.app.handler") as ours:
        for _ in range(ROUNDS):
            for kind in KINDS:
                _set_budgets(kind, lambda method, path, budget: setup.world.done(200, "alice", method, path, budget))
                spent[kind.name].append(ours.cpu_per_event([_event(setup.event, kind) for _ in range(CALLS)]))
    return spent


def _event(event: bytes, kind: Kind) -> bytes:
    changed = json.loads(event)
    changed["headers"] = {**changed["headers"], **kind.headers()}
    changed["multiValueHeaders"] = {name: [value] for name, value in changed["headers"].items()}
    return json.dumps(changed).encode()
