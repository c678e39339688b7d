"""The sync lease: concurrent syncs return at once, and the lease of a crashed holder expires."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import date, timedelta
from threading import Event

import pytest
from botocore.exceptions import ClientError

from instant.adapters.catalog.sync_lease import DynamoSyncLease, read_record
from instant.adapters.catalog.sync_runs import DynamoSyncRuns, DynamoSyncStatus
from instant.adapters.event_bus import EventBridgeBus
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_plan import Rules
from instant.domain.catalog.sync_run import MAX_RUNS, SyncOrder, SyncOutcome, SyncResult, SyncRun
from instant.domain.errors import UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.ports.catalog.sync_lease import QueuedOrder, Taken
from instant.ports.event_bus import EventBus
from instant.use_cases.catalog.sync import SyncDeps, sync_catalog
from tests.fakes.aws_faults import faults, lost_answer
from tests.fakes.clock import START, FakeClock
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.fakes.whole_replies import WholeReplies
from tests.integration.adapters.catalog.catalogs import snapshots_of, writer_of
from tests.integration.app import App
from tests.timeouts import HANG_SECONDS

LATER = START + timedelta(seconds=100)
RECORD = SyncRecord(synced_at="now", read_at="then", seen=60, written=3, waiting=1, validator='W/"one"')


@pytest.fixture
def lease(cloud: App) -> DynamoSyncLease:
    """The sync lease of an empty app."""
    cloud.empty()
    return DynamoSyncLease(cloud.name("LIMITS_TABLE"))


def record_of(app: App) -> SyncRecord | None:
    return read_record(app.name("LIMITS_TABLE"))


def test_sync_lease_has_one_holder(lease: DynamoSyncLease) -> None:
    assert lease.take("one", START, LATER) == Taken(None)
    assert lease.take("two", START, LATER) is None
    lease.drop("two")
    assert lease.take("two", START, LATER) is None, "only the holder may release a lease"
    lease.drop("one")
    assert lease.take("two", START, LATER) == Taken(None)


def test_sync_lease_of_a_crashed_holder_expires(lease: DynamoSyncLease) -> None:
    assert lease.take("one", START, LATER)
    assert lease.take("two", LATER, LATER + timedelta(1)) is None
    assert lease.take("two", LATER + timedelta(microseconds=1), LATER + timedelta(1)) == Taken(None)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        lease.finish("one", RECORD)


def test_sync_record_survives_the_next_run_without_its_validator(cloud: App, lease: DynamoSyncLease) -> None:
    assert record_of(cloud) is None
    lease.take("one", START, LATER)
    assert record_of(cloud) is None
    lease.finish("one", RECORD)
    assert record_of(cloud) == RECORD
    assert lease.take("two", START, LATER) == Taken(RECORD)
    assert record_of(cloud) == replace(RECORD, validator=None), "the next sync must not skip an unfinished run"
    lease.finish("two", replace(RECORD, validator=None, waiting=0))
    assert record_of(cloud) == replace(RECORD, validator=None, waiting=0)


def test_lost_acknowledgement_does_not_acquire_or_release_twice(cloud: App, lease: DynamoSyncLease) -> None:
    with faults("UpdateItem", lost_answer) as calls:
        assert lease.take("one", START, LATER) == Taken(None)
    assert len(calls.bodies) == 2
    with faults("UpdateItem", lost_answer):
        lease.finish("one", RECORD)
    assert record_of(cloud) == RECORD
    assert lease.take("two", START, LATER) == Taken(RECORD)


LOSSES, PRICES = SyncOrder(accept_losses=True), SyncOrder(accept_prices=True)


def test_order_is_queued_only_while_the_lease_is_held(lease: DynamoSyncLease) -> None:
    assert not lease.queue("ord-1", LOSSES, START)
    lease.take("one", START, LATER)
    assert not lease.queue("ord-1", LOSSES, LATER + timedelta(seconds=1)), "an expired lease can be taken"
    assert lease.queue("ord-1", LOSSES, START)
    assert lease.finish("one", RECORD) == QueuedOrder("ord-1", LOSSES)
    assert not lease.queue("ord-2", LOSSES, START)


def test_queued_order_waits_until_it_is_removed(lease: DynamoSyncLease) -> None:
    lease.take("one", START, LATER)
    lease.queue("ord-1", LOSSES, START)
    assert lease.drop("one") == QueuedOrder("ord-1", LOSSES)
    assert lease.take("two", START, LATER) == Taken(None, QueuedOrder("ord-1", LOSSES))
    lease.unqueue("ord-2")
    assert lease.drop("two") == QueuedOrder("ord-1", LOSSES)
    lease.unqueue("ord-1")
    assert lease.take("three", START, LATER) == Taken(None)
    assert lease.drop("three") is None


def test_later_order_keeps_what_an_earlier_one_disabled(lease: DynamoSyncLease) -> None:
    lease.take("one", START, LATER)
    for order_id, order in (("ord-1", LOSSES), ("ord-2", PRICES), ("ord-3", SyncOrder())):
        assert lease.queue(order_id, order, START)
    assert lease.finish("one", RECORD) == QueuedOrder("ord-3", SyncOrder(accept_losses=True, accept_prices=True))


def a_run(number: int) -> SyncRun:
    """Return a run with this number."""
    return SyncRun(
        run_id=f"syn_{number}",
        started_at="then",
        finished_at="now",
        order=LOSSES,
        result=SyncResult(outcome=SyncOutcome.REFUSED, seen=number),
        reason="too many",
        held=("a/b",),
        skipped={"a/c": "unreadable"},
        left_out={"pricing.tiers": 7},
    )


def test_sync_runs_keep_the_last_twenty(cloud: App, lease: DynamoSyncLease) -> None:
    limits = cloud.name("LIMITS_TABLE")
    runs, status = DynamoSyncRuns(limits), DynamoSyncStatus(limits)
    assert status.last() == []
    for number in range(MAX_RUNS + 5):
        runs.add(a_run(number))
    assert status.last() == [a_run(number) for number in range(MAX_RUNS + 4, 4, -1)]


def test_sync_run_is_read_once_after_a_lost_acknowledgement(cloud: App, lease: DynamoSyncLease) -> None:
    limits = cloud.name("LIMITS_TABLE")
    runs, status = DynamoSyncRuns(limits), DynamoSyncStatus(limits)
    with faults("UpdateItem", lost_answer):
        runs.add(a_run(1))
    runs.add(a_run(2))
    assert status.last() == [a_run(2), a_run(1)]


class BlockedService(WholeReplies):
    """A service that responds once the test sets `may_answer`."""

    def __init__(self) -> None:
        """Serve the catalog of the fake service."""
        self.request_count = 0
        self.is_asked = Event()
        self.may_answer = Event()

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Return the catalog after `may_answer` is set."""
        self.request_count += 1
        self.is_asked.set()
        assert self.may_answer.wait(HANG_SECONDS)
        return Reply(status=200, body=encode({"data": default_catalog(date(2026, 11, 22))}))


@pytest.mark.parametrize("seed", range(5))
def test_concurrent_syncs_run_once_and_others_return_busy(cloud: App, lease: DynamoSyncLease, seed: int) -> None:
    service = BlockedService()
    deps = SyncDeps(
        upstream=service,
        catalog=writer_of(cloud),
        snapshots=snapshots_of(cloud),
        lease=lease,
        runs=DynamoSyncRuns(cloud.name("LIMITS_TABLE")),
        bus=EventBridgeBus("default"),
        clock=FakeClock(),
    )
    with ThreadPoolExecutor(5) as pool:
        runs = [pool.submit(sync_catalog, deps, Rules(max_loss_percent=10), lambda: 100.0) for _ in range(5)]
        finished = as_completed(runs, timeout=HANG_SECONDS)
        assert [next(finished).result().outcome for _ in range(4)] == [SyncOutcome.BUSY] * 4
        service.may_answer.set()
        assert next(finished).result().outcome is SyncOutcome.SYNCED
    assert service.request_count == 1
    assert len(cloud.table("MODELS_TABLE")) == len(default_catalog())
    assert len(cloud.table("MODEL_CHANGES_TABLE")) == len(default_catalog()) + 1, "each model's addition, one snapshot"


def test_order_during_a_sync_runs_afterwards(cloud: App, lease: DynamoSyncLease) -> None:
    service, bus = BlockedService(), RecordingBus()
    limits = cloud.name("LIMITS_TABLE")
    deps = SyncDeps(
        upstream=service,
        catalog=writer_of(cloud),
        snapshots=snapshots_of(cloud),
        lease=lease,
        runs=DynamoSyncRuns(limits),
        bus=bus,
        clock=FakeClock(),
    )
    order = Rules(max_loss_percent=10, accept_losses=True)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sync_catalog, deps, Rules(max_loss_percent=10), lambda: 100.0)
        assert service.is_asked.wait(HANG_SECONDS)
        assert sync_catalog(deps, order, lambda: 100.0, is_ordered=True).outcome is SyncOutcome.QUEUED
        assert sync_catalog(deps, order, lambda: 100.0).outcome is SyncOutcome.BUSY, "the schedule comes again"
        service.may_answer.set()
        assert running.result(HANG_SECONDS).outcome is SyncOutcome.SYNCED
    assert bus.sent == [("openrouter/models.sync", {"accept_losses": True, "accept_prices": False})]
    assert lease.take("next", START, LATER + timedelta(hours=1)) is not None
    assert lease.drop("next") is None, "the order left the queue when its event was sent"


def test_order_stays_queued_while_its_event_cannot_be_sent(cloud: App, lease: DynamoSyncLease) -> None:
    service = BlockedService()
    service.may_answer.set()
    limits = cloud.name("LIMITS_TABLE")
    deps = SyncDeps(
        upstream=Ordering(service, lease),
        catalog=writer_of(cloud),
        snapshots=snapshots_of(cloud),
        lease=lease,
        runs=DynamoSyncRuns(limits),
        bus=RecordingBus(fails=True),
        clock=FakeClock(),
    )
    assert sync_catalog(deps, Rules(max_loss_percent=10), lambda: 100.0).outcome is SyncOutcome.SYNCED
    sync_catalog(replace(deps, upstream=service), Rules(max_loss_percent=10), lambda: 100.0)
    first, second = DynamoSyncStatus(limits).last()[::-1]
    assert (first.order, second.order) == (SyncOrder(), PRICES)
    taken = lease.take("next", START, LATER)
    assert taken is not None
    assert taken.queued is None


class Ordering(WholeReplies):
    """A service during whose reply an order arrives."""

    def __init__(self, service: BlockedService, lease: DynamoSyncLease) -> None:
        """Reply as `service` does."""
        self._service, self._lease = service, lease

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Queue an order, and return the catalog."""
        assert self._lease.queue("ord-1", PRICES, START)
        return self._service.send(request, seconds=seconds)


class RecordingBus(EventBus):
    """A bus that records events, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        """Start empty."""
        self.sent: list[tuple[str, dict[str, object]]] = []
        self._fails = fails

    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        """Record one event."""
        if self._fails:
            raise UpstreamUnavailable("The event could not be sent.")
        self.sent.append((detail_type, detail))

    def put_all(self, detail_type: str, details: Iterable[dict[str, object]]) -> int:
        """Ignore the events of changed models."""
        return len(list(details))
