"""Event publishing: events have our source, and a failed entry in a successful response is an error."""

import json

import pytest

from instant.adapters.event_bus import MAX_BYTES, EventBridgeBus
from instant.domain.errors import UpstreamUnavailable
from tests.fakes.aws_faults import answer, faults
from tests.integration.app import App


@pytest.fixture
def bus(cloud: App) -> EventBridgeBus:
    return EventBridgeBus(cloud.name("EVENT_BUS"))


def test_publish_sends_our_source_and_detail_to_the_stack_bus(cloud: App, bus: EventBridgeBus) -> None:
    with faults("PutEvents") as calls:
        bus.put("openrouter/models.sync", {"accept_losses": True})
    (entry,) = calls.bodies[0]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("instant.resources", "openrouter/models.sync")
    assert entry["EventBusName"] == cloud.name("EVENT_BUS") != "default"
    assert json.loads(entry["Detail"]) == {"accept_losses": True}


def test_publish_raises_on_a_failed_entry_in_a_success_response(bus: EventBridgeBus) -> None:
    failed = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", failed), pytest.raises(UpstreamUnavailable) as caught:
        bus.put("openrouter/models.sync", {})
    assert caught.value.retryable


def test_publish_sends_batches_of_ten_and_retries_only_failed_entries(bus: EventBridgeBus) -> None:
    some = answer({"FailedEntryCount": 1, "Entries": [{}] * 9 + [{"ErrorCode": "ThrottlingException"}]})
    with faults("PutEvents", some) as calls:
        assert bus.put_all("resource/model.affected", ({"n": n} for n in range(12))) == 12
    sent = [[json.loads(entry["Detail"])["n"] for entry in body["Entries"]] for body in calls.bodies]
    assert sent == [[*range(10)], [9], [10, 11]]
    assert bus.put_all("resource/model.affected", []) == 0


def test_publish_splits_large_events_into_batches_in_order(bus: EventBridgeBus) -> None:
    sizes = [90_000, 90_000, 90_000, 10, 250_000, 10, *[20_000] * 11]
    with faults("PutEvents") as calls:
        assert bus.put_all("resource/model.affected", ({"n": n, "x": "x" * size} for n, size in enumerate(sizes))) == 17
    sent = [[json.loads(entry["Detail"])["n"] for entry in body["Entries"]] for body in calls.bodies]
    assert [n for batch in sent for n in batch] == [*range(17)]
    sums = [sum(len(entry["Detail"]) for entry in body["Entries"]) for body in calls.bodies]
    assert all(total <= MAX_BYTES or len(batch) == 1 for total, batch in zip(sums, sent, strict=True))
    assert len(sent) == 5


def test_publish_raises_permanent_failures_after_sending_the_rest(bus: EventBridgeBus) -> None:
    failed = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}] + [{}] * 9})
    failed_again = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with (
        faults("PutEvents", failed, failed_again, failed_again, failed_again) as calls,
        pytest.raises(UpstreamUnavailable, match="1 of 11"),
    ):
        bus.put_all("resource/model.affected", ({"n": n} for n in range(11)))
    assert json.loads(calls.bodies[-1]["Entries"][0]["Detail"]) == {"n": 10}
