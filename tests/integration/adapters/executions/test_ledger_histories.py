"""Random histories: the DynamoDB ledger and the in-memory ledger return the same results."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from instant.domain.executions.execution import Execution, Opening, OpenRun
from tests.fakes.builders import an_opening
from tests.integration.adapters.executions.ledger_sides import (
    LATER,
    NEVER,
    STEPS,
    WORST,
    InDynamo,
    InMemory,
    Subject,
    outcome,
    some_holds,
)
from tests.integration.app import App


@dataclass(frozen=True)
class Transition:
    """A transition of one of two executions by one of two runs."""

    step: str
    execution: int
    run: int


histories = st.lists(
    st.builds(
        Transition,
        st.sampled_from([*STEPS, "open", "open", "sent", "done"]),
        st.integers(0, 1),
        st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=3,
    max_size=12,
)


@given(history=histories, is_tight=st.booleans())
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_both_ledgers_agree_on_any_history(
    cloud: App, fresh: Callable[[str], str], history: list[Transition], is_tight: bool
) -> None:
    sides: list[Subject] = [InMemory(), InDynamo(cloud)]
    cap = WORST if is_tight else 3 * WORST
    same: dict[str, Any] = {"user_id": fresh("user"), "resource_id": fresh("res"), "fingerprint": "f" * 64}
    openings = [an_opening(fresh("exe"), holds=some_holds(fresh("b"), cap), **same)] * 2
    openings[1] = replace(openings[0], execution_id=fresh("exe"))
    for transition in history:
        opening = replace(openings[transition.execution], run_id=f"run_{transition.run}")
        results = [outcome(STEPS[transition.step], side.ledger, opening) for side in sides]
        assert results[0] == results[1]
        assert found(sides[0], openings) == found(sides[1], openings)
    for now in (LATER, NEVER):
        assert due(sides[0], openings, now) == due(sides[1], openings, now)
    assert sides[0].sums(openings[0]) == sides[1].sums(openings[0])


def found(side: Subject, openings: list[Opening]) -> list[Execution | None]:
    """Return the stored executions."""
    return [side.executions.get(opening.execution_id) for opening in openings]


def due(side: Subject, openings: list[Opening], now: str) -> list[OpenRun]:
    """Return the due executions, sorted by id."""
    ids = {opening.execution_id for opening in openings}
    runs = [run for run in side.open_runs.due(now) if run.opening.execution_id in ids]
    return sorted(runs, key=lambda run: run.opening.execution_id)
