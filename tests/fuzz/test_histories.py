"""Random histories of two users with AWS faults: the API returns what a model of plain dictionaries predicts."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.disturbances import impatience
from tests.fuzz.front import UNLIMITED
from tests.fuzz.histories import Histories
from tests.integration.app import deployed_app

HISTORIES = int(os.environ.get("HISTORIES") or 40)
STEPS = int(os.environ.get("STEPS") or 30)
IS_BOUNDED = "HISTORIES" not in os.environ
"""The same histories each time, and a failure is told as it was found: to make it smaller takes minutes."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Faults are meant here; each would be logged with its trace."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.fuzz
def test_api_returns_what_the_model_of_each_history_predicts() -> None:
    how = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=IS_BOUNDED,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate] if IS_BOUNDED else [Phase.generate, Phase.shrink],
    )
    with impatience(), deployed_app(**UNLIMITED) as app:
        Histories.app = app
        run_state_machine_as_test(Histories, settings=how)
