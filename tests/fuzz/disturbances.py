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
ATTEMPTS = 3
"""How often our clients try; one fault fewer is overcome, so many are not."""


@dataclass(frozen=True)
class Disturbance:
    """The calls of one operation that go wrong: which, how, and how often in a row."""

    operation: str
    kind: str
    spared: int
    times: int


def disturbances(*operations: str) -> st.SearchStrategy[Disturbance | None]:
    """Mostly nothing; else a fault in one of these operations."""
    kinds = st.sampled_from(list(KINDS))
    some = st.builds(Disturbance, st.sampled_from(operations), kinds, st.integers(0, 3), st.integers(1, ATTEMPTS + 1))
    return st.one_of(st.none(), st.none(), st.none(), some)


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
