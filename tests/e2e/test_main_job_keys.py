"""API keys over HTTP: a new key works at once, and a revoked key stops within the cache time of the gateway."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.journey import Journey
from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built
from tests.local.stack import ROOT
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.e2e


def make(world: World, name: str) -> Any:
    """Create an API key of alice; requests of the user `name` send it."""
    made = world.done(201, "alice", "POST", "/api/user/api-keys", {"name": name, "scopes": ["execute", "manage"]})
    world.keys[name] = made["api_key"]
    return made


def revoke(world: World, key_id: str) -> None:
    world.done(204, "alice", "DELETE", f"/api/user/api-keys/{key_id}")


def test_new_api_key_authenticates_at_once(world: World, journey: Journey) -> None:
    make(world, "fresh")
    assert world.execute("fresh", "Hello", resource_id=journey.resource["resource_id"]).status == 200


def test_revoked_api_key_without_cached_policy_is_rejected_at_once(world: World) -> None:
    revoke(world, make(world, "unused")["key_id"])
    assert world.call("unused", "GET", "/api/resources").status == 401


def test_gateway_caches_a_caller_for_at_most_one_minute(world: World) -> None:
    assert [plan.seconds <= 60 for plan in world.stack.plan.authorizers.values()] == [True]


@pytest.fixture
def short_cache_world(built: Built, tmp_path: Path) -> Iterator[World]:
    """A stack whose gateway caches an authorizer result for one second."""
    template = (ROOT / "template.yaml").read_text()
    assert template.count("ReauthorizeEvery: 60") == 1
    changed = tmp_path / "template.yaml"
    changed.write_text(template.replace("ReauthorizeEvery: 60", "ReauthorizeEvery: 1"))
    with open_world(built, tmp_path / "log", template=changed) as opened:
        yield opened


def test_revoked_api_key_is_rejected_after_the_cache_expires(short_cache_world: World) -> None:
    made = make(short_cache_world, "used")
    assert short_cache_world.call("used", "GET", "/api/resources").status == 200
    revoke(short_cache_world, made["key_id"])
    deadline = time.monotonic() + HANG_SECONDS
    while short_cache_world.call("used", "GET", "/api/resources").status != 401:
        assert time.monotonic() < deadline, "the revoked key still works"
