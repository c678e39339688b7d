"""Queries and CPU time to list 20 of 10,000 public resources."""

import os
from collections.abc import Iterator
from typing import Any

from tests.bench.setup import Row, Setup
from tests.e2e.processes import cpu_ticks, function_processes

RESOURCES = 10_000
CALLS = 20
FUNCTION = "ResourcesFunction"
QUERIES = {
    "newest": "",
    "most used": "&sort=most_used",
    "a category that one in five has": "&category=shelf-1",
    "a text that nothing has": "&q=nowhere",
}
_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


def measure(setup: Setup) -> list[Row]:
    """Send each query repeatedly to a warm function, on the same table."""
    _fill(setup)
    return [Row(f"20 of {RESOURCES:,} resources, {name}", _listed(setup, query)) for name, query in QUERIES.items()]


def _fill(setup: Setup) -> None:
    client, table = setup.world.stack.client("dynamodb"), _table(setup)
    made = setup.world.done(200, "alice", "GET", f"/api/resources/{setup.resource['resource_id']}")
    setup.world.done(200, "alice", "PATCH", f"/api/resources/{made['resource_id']}", {"visibility": "public"})
    row = client.get_item(TableName=table, Key={"resource_id": {"S": made["resource_id"]}})["Item"]
    rows = [{"PutRequest": {"Item": item}} for item in _copies(row)]
    for start in range(0, len(rows), 25):
        client.batch_write_item(RequestItems={table: rows[start : start + 25]})


def _copies(row: Any) -> Iterator[Any]:
    for number in range(RESOURCES - 1):
        name = f"res_{number:026d}"
        yield {
            **row,
            "resource_id": {"S": name},
            "category": {"S": f"shelf-{number % 5}"},
            "created_at": {"S": f"2026-01-01T00:00:00.{number:06d}Z"},
            "calls_rank": {"S": f"{number:012d}#{name}"},
            "success_rank": {"S": f"{number:012d}#{name}"},
        }


def _listed(setup: Setup, query: str) -> str:
    world, path = setup.world, f"/api/resources?listing=public&limit=20{query}"
    world.done(200, "alice", "GET", path)
    pid = function_processes(FUNCTION, world.stack.aws_url)[0]
    world.stack.calls.clear()
    before = cpu_ticks(pid)
    for _ in range(CALLS):
        world.done(200, "alice", "GET", path)
    spent = (cpu_ticks(pid) - before) * _MS_PER_TICK / CALLS
    queries = len(world.stack.calls.of(FUNCTION)) // CALLS
    return f"{queries} quer{'y' if queries == 1 else 'ies'}, {spent:.1f} ms CPU"


def _table(setup: Setup) -> str:
    return setup.world.stack.environment(FUNCTION)["RESOURCES_TABLE"]
