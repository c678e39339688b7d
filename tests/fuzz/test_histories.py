"""Random histories of two users with AWS faults: the API returns what a model of plain dictionaries predicts."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.fault_plans import immediate_retries
from tests.fuzz.histories import Histories
from tests.fuzz.served import UNLIMITED
from tests.integration.app import deployed_app

HISTORIES = int(os.environ.get("HISTORIES") or 40)
STEPS = int(os.environ.get("STEPS") or 30)
IS_SHORT = "HISTORIES" not in os.environ
"""Whether to run the same histories each time, without shrinking a failure, which takes minutes."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Do not log the traceback of each injected fault."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.fuzz
def test_api_returns_what_the_model_of_each_history_predicts() -> None:
    how = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=IS_SHORT,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate] if IS_SHORT else [Phase.generate, Phase.shrink],
    )
    with immediate_retries(), deployed_app(**UNLIMITED) as app:
        Histories.app = app
        run_state_machine_as_test(Histories, settings=how)
