"""The sync lease: concurrent syncs return at once, and the lease of a crashed holder expires."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import date, timedelta
from threading import Event

import pytest
from botocore.exceptions import ClientError

from instant.adapters.catalog.sync_lease import DynamoSyncLease, read_record
from instant.adapters.event_bus import EventBridgeBus
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_plan import Rules
from instant.domain.exchange import Reply, Request
from instant.ports.catalog.sync_lease import Taken
from instant.use_cases.catalog.sync import SyncDeps, SyncOutcome, sync_catalog
from tests.fakes.aws_faults import faults, lost_answer
from tests.fakes.clock import START, FakeClock
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.fakes.whole_replies import WholeReplies
from tests.integration.adapters.catalog.catalogs import writer_of
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


class BlockedService(WholeReplies):
    """A service that responds once the test sets `may_answer`."""

    def __init__(self) -> None:
        """Serve the catalog of the fake service."""
        self.request_count = 0
        self.may_answer = Event()

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Return the catalog after `may_answer` is set."""
        self.request_count += 1
        assert self.may_answer.wait(HANG_SECONDS)
        return Reply(status=200, body=encode({"data": default_catalog(date(2026, 11, 22))}))


@pytest.mark.parametrize("seed", range(5))
def test_concurrent_syncs_run_once_and_others_return_busy(cloud: App, lease: DynamoSyncLease, seed: int) -> None:
    service = BlockedService()
    deps = SyncDeps(
        upstream=service, catalog=writer_of(cloud), lease=lease, bus=EventBridgeBus("default"), clock=FakeClock()
    )
    with ThreadPoolExecutor(5) as pool:
        runs = [pool.submit(sync_catalog, deps, Rules(max_loss_percent=10), lambda: 100.0) for _ in range(5)]
        finished = as_completed(runs, timeout=HANG_SECONDS)
        assert [next(finished).result().outcome for _ in range(4)] == [SyncOutcome.BUSY] * 4
        service.may_answer.set()
        assert next(finished).result().outcome is SyncOutcome.SYNCED
    assert service.request_count == 1
    assert len(cloud.table("MODELS_TABLE")) == len(cloud.table("MODEL_CHANGES_TABLE")) == len(default_catalog())
