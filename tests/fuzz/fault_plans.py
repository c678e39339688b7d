"""Hypothesis strategies for faults in calls to AWS."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from hypothesis import strategies as st

from tests.fakes.aws_faults import Fault, cancelled, failure, faults, idempotent_transactions, lost_answer, lost_request

KINDS: dict[str, Fault] = {
    "lost request": lost_request,
    "lost answer": lost_answer,
    "throttled": failure("ProvisionedThroughputExceededException"),
    "conflict": cancelled("TransactionConflict", "None", "None"),
}
TIMES = (1, 6)
"""Consecutive faults: the clients try three times, so that one fault is retried and six make the call fail."""


@dataclass(frozen=True)
class FaultPlan:
    """Faults in calls of one operation: `times` consecutive faults after `skipped` calls without one."""

    operation: str
    kind: str
    skipped: int
    times: int


def optional_faults_in(*steps: str) -> st.SearchStrategy[FaultPlan | None]:
    """Mostly None, otherwise a fault in one of these steps."""
    return st.one_of(st.none(), st.none(), faults_in(*steps))


def faults_in(*steps: str) -> st.SearchStrategy[FaultPlan]:
    """A fault in one of these steps: the name of an operation, with "+2" for its third call."""
    return st.builds(_fault_plan, st.sampled_from(steps), st.sampled_from(list(KINDS)), st.sampled_from(TIMES))


def _fault_plan(step: str, kind: str, times: int) -> FaultPlan:
    operation, _, skipped = step.partition("+")
    return FaultPlan(operation, kind, int(skipped or 0), times)


@contextmanager
def injected(plan: FaultPlan | None) -> Iterator[None]:
    """Inject the drawn faults."""
    with ExitStack() as stack:
        if plan:
            sequence = [None] * plan.skipped + [KINDS[plan.kind]] * plan.times
            stack.enter_context(faults(plan.operation, *sequence))
        yield


@contextmanager
def immediate_retries() -> Iterator[None]:
    """Retry without delays; DynamoDB recognizes the tokens of completed transactions."""
    with mock.patch("time.sleep"), idempotent_transactions():
        yield
