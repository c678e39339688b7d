"""No sink contains the secrets of a canary that called every route, with successes and faults."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.canary import scenarios
from tests.canary.aws_tap import FAULTS, intercepted
from tests.canary.client import Canary, parameters, start, with_access_token
from tests.canary.sinks import Sinks, record_storage, recording
from tests.canary.steps import STEPS
from tests.fakes.issuer import FakeIssuer
from tests.integration.app import deployed_app


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """The canary after all requests."""
    with FakeIssuer() as issuer, deployed_app(**parameters(issuer)) as app, intercepted(sinks := Sinks()) as tap:
        canary = start(app, sinks, tap)
        with recording(sinks):
            scenarios.call_every_route(canary)
            scenarios.call_every_route(with_access_token(canary, issuer))
            scenarios.inject_aws_faults(canary)
            scenarios.inject_upstream_failures(canary)
            scenarios.inject_key_check_failures(canary)
            scenarios.misplace_secrets(canary, issuer)
        record_storage(sinks)
        yield canary


def test_canary_covers_every_route(canary: Canary) -> None:
    assert {(route.method, route.path) for route in canary.app.plan.operations} == set(STEPS)


def test_canary_covers_every_fault_of_every_operation(canary: Canary) -> None:
    operations = {operation for operation, _ in canary.tap.injected}
    assert operations >= {"Encrypt", "Decrypt", "PutItem", "TransactWriteItems", "PutEvents", "PUT", "Query"}
    assert canary.tap.injected == set(product(operations, FAULTS.values()))


def test_canary_key_is_sent_in_its_header(canary: Canary) -> None:
    assert canary.key_uses > 100


def test_canary_is_not_rate_limited_by_the_app(canary: Canary) -> None:
    rejected = [content for content in canary.sinks.seen["response"] if content.startswith(b"429")]
    assert rejected
    assert [content for content in rejected if b"OpenRouter" not in content and b"free models" not in content] == []


@pytest.mark.parametrize("sink", ["stdout", "stderr", "log", "response", "aws", "upstream", "table", "bucket", "queue"])
def test_sink_does_not_contain_secrets(canary: Canary, sink: str) -> None:
    assert canary.sinks.leaks(dict.fromkeys(canary.secrets), sink) == []
