"""The streaming function in an execution environment of its own, with the upstream of the measurements."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.bench.setup import Setup, build
from tests.bench.streams.peers import Peer
from tests.bench.streams.reading import Reading
from tests.e2e.processes import function_processes
from tests.local.functions.pool import Functions
from tests.local.stack import ROOT

STREAM = "StreamFunction"
_EVENT = ROOT / "events/stream/execute.json"


@dataclass(frozen=True)
class Ours:
    """The function, and its process."""

    functions: Functions
    resource_id: str
    pid: int = 0
    name: str = "this service"

    def read(self, prompt: str) -> Reading:
        """Execute a resource, and read the stream to its end."""
        event = json.loads(_EVENT.read_text())
        event["body"] = json.dumps({"resource_id": self.resource_id, "inputs": {"prompt": prompt}})
        reading, prelude = Reading(), bytearray()

        def sink(piece: bytes) -> None:
            if reading.first:
                reading.add(piece)
                return
            prelude.extend(piece)
            if body := prelude.partition(bytes(8))[2]:
                reading.add(bytes(body))

        outcome = self.functions.invoke(STREAM, json.dumps(event).encode(), sink)
        assert not outcome.failed, outcome.payload
        assert reading.is_done, bytes(prelude)
        return reading


@contextmanager
def streaming(setup: Setup, upstream: Peer) -> Iterator[Ours]:
    """A warm environment of the function, whose executions call `upstream`."""
    stack = setup.world.stack
    plan = stack.plan.functions[STREAM]
    base_url = {"OPENROUTER_BASE_URL": f"http://127.0.0.1:{upstream.port}/api/v1"}
    others = set(function_processes(STREAM, stack.aws_url))
    with setup.world.log.open("ab") as log:
        plans = {STREAM: replace(plan, environment={**plan.environment, **base_url})}
        functions = Functions(plans, build(), stack.aws_url, 1, log.fileno())
        try:
            made = Ours(functions, setup.resource["resource_id"])
            made.read("chunks=100 letters=80")
            (pid,) = set(function_processes(STREAM, stack.aws_url)) - others
            yield replace(made, pid=pid)
        finally:
            functions.stop()
