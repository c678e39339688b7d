"""A route can renew the lease of its call, if the call has one."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from instant.entrypoints.http.throttles import LEASE, lease_renewal
from instant.use_cases.access.throttle import Lease
from tests.fakes.clock import FakeClock
from tests.unit.use_cases.access.test_throttle import Recorder


def resolver_with(event: dict[str, Any]) -> APIGatewayRestResolver:
    """A resolver that handles this event."""
    app = APIGatewayRestResolver()
    app.current_event = APIGatewayProxyEvent(event)
    return app


def test_renewal_renews_the_lease_of_the_event_when_it_is_due() -> None:
    limiter, clock = Recorder(), FakeClock()
    renew = lease_renewal(resolver_with({LEASE: Lease(limiter, "user_alice", "lease", 90, clock)}))
    renew()
    clock.pass_seconds(30)
    renew()
    assert limiter.calls == [("renew lease", 90)]


def test_renewal_of_a_call_without_a_lease_does_nothing() -> None:
    for event in ({LEASE: None}, {}):
        lease_renewal(resolver_with(event))()
