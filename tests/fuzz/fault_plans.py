"""Faults between us and AWS, as something that can be drawn at random."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from hypothesis import strategies as st

from tests.fakes.aws_faults import Fault, cancelled, failure, faults, lost_answer, lost_request, tokens_kept

KINDS: dict[str, Fault] = {
    "lost request": lost_request,
    "lost answer": lost_answer,
    "throttled": failure("ProvisionedThroughputExceededException"),
    "conflict": cancelled("TransactionConflict", "None", "None"),
}
TIMES = (1, 6)
"""How often in a row: one fault is overcome, of six nothing is left, as our clients try three times."""


@dataclass(frozen=True)
class Disturbance:
    """The calls of one operation that go wrong: which, how, and how often in a row."""

    operation: str
    kind: str
    spared: int
    times: int


def disturbances(*steps: str) -> st.SearchStrategy[Disturbance | None]:
    """Mostly nothing; else a fault at one of these steps."""
    return st.one_of(st.none(), st.none(), troubles(*steps))


def troubles(*steps: str) -> st.SearchStrategy[Disturbance]:
    """A fault at one of these steps: an operation, "+2" after it for its third call."""
    return st.builds(_disturbance, st.sampled_from(steps), st.sampled_from(list(KINDS)), st.sampled_from(TIMES))


def _disturbance(step: str, kind: str, times: int) -> Disturbance:
    operation, _, spared = step.partition("+")
    return Disturbance(operation, kind, int(spared or 0), times)


@contextmanager
def disturbed(disturbance: Disturbance | None) -> Iterator[None]:
    """Inside, calls go wrong as drawn."""
    with ExitStack() as stack:
        if disturbance:
            plan = [None] * disturbance.spared + [KINDS[disturbance.kind]] * disturbance.times
            stack.enter_context(faults(disturbance.operation, *plan))
        yield


@contextmanager
def impatience() -> Iterator[None]:
    """Inside, repeats come at once, and DynamoDB knows the transactions that it has done."""
    with mock.patch("time.sleep"), tokens_kept():
        yield
