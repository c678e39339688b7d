"""The canary run: unique secrets through every route, every success and every fault, then searched for everywhere."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.canary import trials
from tests.canary.aws_tap import FAULTS, tapped
from tests.canary.sinks import Sinks, listening, stored
from tests.canary.steps import STEPS
from tests.canary.walk import Walk, begin, signed_in, trusting
from tests.fakes.issuer import FakeIssuer
from tests.integration.app import deployed_app


@pytest.fixture(scope="module")
def walked() -> Iterator[Walk]:
    """All of it, once."""
    with FakeIssuer() as issuer, deployed_app(**trusting(issuer)) as app, tapped(sinks := Sinks()) as tap:
        walk = begin(app, sinks, tap)
        with listening(sinks):
            trials.succeed(walk)
            trials.succeed(signed_in(walk, issuer))
            trials.fail_in_aws(walk)
            trials.fail_upstream(walk)
            trials.fail_key_checks(walk)
            trials.misplace(walk, issuer)
        stored(sinks)
        yield walk


def test_every_route_is_walked(walked: Walk) -> None:
    assert {(route.method, route.path) for route in walked.app.plan.routes} == set(STEPS)


def test_every_operation_met_every_fault(walked: Walk) -> None:
    operations = {operation for operation, _ in walked.tap.met}
    assert operations >= {"Encrypt", "Decrypt", "PutItem", "TransactWriteItems", "PutEvents", "PUT", "Query"}
    assert walked.tap.met == set(product(operations, FAULTS.values()))


def test_the_key_was_where_it_belongs(walked: Walk) -> None:
    assert walked.uses > 100


def test_nobody_was_sent_away_for_coming_too_often(walked: Walk) -> None:
    refused = [content for content in walked.sinks.seen["response"] if content.startswith(b"429")]
    assert refused
    assert [content for content in refused if b"OpenRouter" not in content and b"free models" not in content] == []


@pytest.mark.parametrize("sink", ["stdout", "stderr", "log", "response", "aws", "upstream", "table", "bucket", "queue"])
def test_no_secret_is_in(walked: Walk, sink: str) -> None:
    assert walked.sinks.leaks(dict.fromkeys(walked.secrets), sink) == []
