"""Events: sent under our name, and a refusal inside a success is a failure."""

import json

import pytest

from instant.adapters.event_bus import EventBridgeBus
from instant.domain.errors import UpstreamUnavailable
from tests.fakes.aws_faults import answer, faults
from tests.integration.house import House


@pytest.fixture
def bus(cloud: House) -> EventBridgeBus:
    return EventBridgeBus(cloud.name("EVENT_BUS"))


def test_an_event_carries_our_source_and_its_detail(bus: EventBridgeBus) -> None:
    with faults("PutEvents") as calls:
        bus.put("openrouter/models.sync", {"accept_losses": True})
    (entry,) = calls.bodies[0]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("instant.resources", "openrouter/models.sync")
    assert entry["EventBusName"] == "default"
    assert json.loads(entry["Detail"]) == {"accept_losses": True}


def test_a_refusal_inside_a_success_is_a_failure(bus: EventBridgeBus) -> None:
    refused = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", refused), pytest.raises(UpstreamUnavailable) as caught:
        bus.put("openrouter/models.sync", {})
    assert caught.value.retryable
