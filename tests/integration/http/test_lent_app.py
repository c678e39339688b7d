"""The shared app is reset between test files."""

import pytest

from instant.adapters.aws import client as aws
from tests.fakes.clock import FakeClock
from tests.integration.app import CHEAP_MODEL, App, deployed_app, set_clock
from tests.integration.lent_app import lend_app


def stored(app: App) -> int:
    """Return the number of stored rows and objects."""
    variables = {name for plan in app.plan.functions.values() for name in plan.environment}
    objects = aws.client("s3").list_objects_v2(Bucket=app.name("MEDIA_BUCKET"))["KeyCount"]
    return sum(len(app.table(name)) for name in variables if name.endswith("_TABLE")) + int(objects)


def test_lend_app_keeps_no_state_between_uses() -> None:
    with lend_app() as first:
        first.sync()
        assert first.connect().status == 201
        aws.client("s3").put_object(Bucket=first.name("MEDIA_BUCKET"), Key="media/1", Body=b"1")
        set_clock(first, FakeClock())
        models = len(first.fake.catalog)
        first.fake.catalog, first.seconds = [], 1
        warm = first.module("CatalogSyncFunction")
        assert stored(first) > models
    with lend_app() as second:
        assert second.plan is first.plan
        assert stored(second) == 0
        assert (len(second.fake.requests), len(second.fake.catalog)) == (0, models)
        assert second.seconds == App.seconds
        cold = second.module("CatalogSyncFunction")
        assert cold is not warm
        assert not isinstance(cold.deps.clock, FakeClock)


def test_lend_app_deploys_again_after_a_separate_deployment() -> None:
    with lend_app() as first:
        first.sync()
    with deployed_app() as fresh:
        fresh.sync()
    with lend_app() as second:
        assert second.plan is not first.plan
        assert stored(second) == 0
        second.sync()


def test_lend_app_rejects_concurrent_use() -> None:
    with lend_app(), pytest.raises(AssertionError), lend_app():
        pass


def test_prepare_restores_snapshot_and_drops_later_changes() -> None:
    with lend_app() as first:
        first.prepare("synced", first.sync)
        prepared = first.table("MODELS_TABLE")
        first.retire(CHEAP_MODEL)
        assert first.connect().status == 201
        first.prepare("synced", first.sync)
        assert first.table("MODELS_TABLE") == prepared
        assert first.table("INTEGRATIONS_TABLE") == []
        assert first.fake.requests == []
    with lend_app() as second:
        second.prepare("synced", lambda: pytest.fail("prepared again"))
        assert second.table("MODELS_TABLE") == prepared
