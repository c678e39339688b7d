"""Unique secrets go through every route, success and fault, and are then searched for in every sink."""

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


def test_canary_walk_covers_every_route(walked: Walk) -> None:
    assert {(route.method, route.path) for route in walked.app.plan.routes} == set(STEPS)


def test_canary_walk_covers_every_fault_of_every_operation(walked: Walk) -> None:
    operations = {operation for operation, _ in walked.tap.met}
    assert operations >= {"Encrypt", "Decrypt", "PutItem", "TransactWriteItems", "PutEvents", "PUT", "Query"}
    assert walked.tap.met == set(product(operations, FAULTS.values()))


def test_canary_key_is_sent_in_its_header(walked: Walk) -> None:
    assert walked.uses > 100


def test_canary_walk_is_not_rate_limited_by_the_app(walked: Walk) -> None:
    refused = [content for content in walked.sinks.seen["response"] if content.startswith(b"429")]
    assert refused
    assert [content for content in refused if b"OpenRouter" not in content and b"free models" not in content] == []


@pytest.mark.parametrize("sink", ["stdout", "stderr", "log", "response", "aws", "upstream", "table", "bucket", "queue"])
def test_sink_does_not_contain_secrets(walked: Walk, sink: str) -> None:
    assert walked.sinks.leaks(dict.fromkeys(walked.secrets), sink) == []
