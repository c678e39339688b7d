"""One streamed execution on an app's tables: its recording, a listener that records, and a clock that moves it on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.domain.access.identity import Identity, Scope
from instant.domain.clock import format_time
from instant.domain.executions.execution import Execution, OpenRun
from instant.domain.executions.output import Answer, Delta, Output
from instant.domain.executions.prepared import Prepared
from instant.use_cases.executions.deps import LedgerDeps
from instant.use_cases.executions.record import Recording, record
from instant.use_cases.executions.streams.listener import Listener
from tests.fakes.builders import a_prepared, a_receipt
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

INVOCATION_SECONDS = 890.0
EXECUTION_ID = "exe_00000000000000000000000001"
ALICE = Identity("user_alice", frozenset({Scope.EXECUTE, Scope.READ}))


class RunningClock(FakeClock):
    """A clock that does what is planned when someone sleeps for the n-th time."""

    def __init__(self) -> None:
        """Plan nothing."""
        super().__init__()
        self.sleeps: list[float] = []
        self.plan: dict[int, Callable[[], object]] = {}

    def sleep(self, seconds: float) -> None:
        """Advance the clock, and do what is planned."""
        super().sleep(seconds)
        self.sleeps.append(seconds)
        self.plan.get(len(self.sleeps), lambda: None)()


class Events(Listener):
    """A listener that records what is reported."""

    def __init__(self) -> None:
        """Nothing was reported yet."""
        self.names: list[str] = []
        self.deltas: list[Delta] = []
        self.images: list[tuple[str, str | None]] = []

    def prepared(self, prepared: Prepared) -> None:
        self.names.append("prepared")

    def joined(self, execution: Execution) -> None:
        self.names.append(f"joined {execution.execution_id} {execution.model}")

    def started(self) -> None:
        self.names.append("started")

    def delta(self, delta: Delta) -> None:
        self.names.append("delta")
        self.deltas.append(delta)

    def image(self, path: str, media_type: str | None) -> None:
        self.names.append("image")
        self.images.append((path, media_type))

    def idle(self) -> None:
        self.names.append("idle")

    def text_after(self, prefix: str) -> str:
        """Return the text of a client that has this prefix and received the deltas."""
        for delta in self.deltas:
            if not delta.reasoning and delta.tool_call is None:
                prefix = delta.text if delta.replace else prefix + delta.text
        return prefix


def an_answer(content: object = "Hello.", text: str | None = None, **more: Any) -> Answer:
    """An answer with this content."""
    media_types = more.pop("media_types", ())
    output: Output = {"type": "text", "content": content, **more}  # type: ignore[typeddict-item]
    return Answer(output, a_receipt(), text=text, media_types=media_types)


@dataclass
class StreamRun:
    """An execution of Alice with an idempotency key, recorded as a stream."""

    app: App
    clock: RunningClock = field(default_factory=RunningClock)
    prepared: Prepared = field(default_factory=lambda: a_prepared(EXECUTION_ID, fingerprint="f" * 64))

    def __post_init__(self) -> None:
        """Use the tables and the bucket of the app."""
        table = self.app.name("EXECUTIONS_TABLE")
        self.open_runs = DynamoOpenRuns(table)
        self.deps = LedgerDeps(
            ledger=a_ledger(self.app),
            executions=DynamoExecutionHistory(table),
            answers=S3AnswerStore(self.app.name("MEDIA_BUCKET")),
            clock=self.clock,
        )

    @contextmanager
    def recording(self, *, streamed: bool = True) -> Iterator[Recording]:
        """Record the execution, which is SENT."""
        with record(self.prepared, self.seconds_left, self.deps, streamed=streamed) as recording:
            recording.mark_sent()
            yield recording

    def sent(self) -> Recording:
        """Return the recording of a run that is in progress, or was killed."""
        context = self.recording()
        recording = context.__enter__()
        self.left_open = context  # a garbage collected generator would end the recording
        return recording

    def finished(self, answer: Answer) -> dict[str, Any]:
        """Run it to its end; return the stored response."""
        with self.recording() as recording:
            return recording.finish(answer)

    def seconds_left(self) -> float:
        """The remaining time of the invocation."""
        return INVOCATION_SECONDS - self.clock.monotonic()

    @property
    def row(self) -> Execution:
        """Return the row."""
        found = self.deps.executions.get(self.prepared.execution_id)
        assert found is not None
        return found

    def due(self) -> list[OpenRun]:
        """Return what is due for the reconciler now."""
        return list(self.open_runs.due(format_time(self.clock.now())))
