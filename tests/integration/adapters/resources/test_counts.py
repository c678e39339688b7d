"""A user has at most a given number of resources, also with concurrent requests and with older rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.resources.store import DynamoResourceStore
from instant.domain.errors import AddressTaken, LimitReached
from instant.domain.resources.resource import Resource
from tests.fakes.builders import NOON, a_resource
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded
from tests.integration.resource_stores import a_resource_store

MOST = 3


@pytest.fixture
def store(cloud: App) -> DynamoResourceStore:
    return a_resource_store(cloud, max_per_user=MOST)


@pytest.fixture
def resources(fresh: Callable[[str], str]) -> list[Resource]:
    """Ten resources of a user who has no other."""
    owner = fresh("user")
    return [a_resource(fresh("res"), owner_id=owner, slug=f"s-{number}") for number in range(10)]


def creates(store: DynamoResourceStore, resource: Resource) -> bool:
    """Return whether the resource is created within the limit."""
    try:
        store.create(resource)
    except LimitReached:
        return False
    return True


def count_of(cloud: App, resource: Resource) -> int:
    """Return the stored number of resources of the owner."""
    rows = {row["resource_id"]["S"]: row for row in cloud.table("RESOURCES_TABLE")}
    return int(rows[f"count#{resource.owner_id}"]["live"]["N"])


def forget_count(cloud: App, resource: Resource) -> None:
    """Delete the stored number, as if the resources were created by an earlier version."""
    key = {"resource_id": {"S": f"count#{resource.owner_id}"}}
    aws.client("dynamodb").delete_item(TableName=cloud.name("RESOURCES_TABLE"), Key=key)


def test_resource_above_the_limit_is_rejected_until_one_is_deleted(
    store: DynamoResourceStore, resources: list[Resource]
) -> None:
    assert [creates(store, resource) for resource in resources[:5]] == [True] * MOST + [False] * 2
    with pytest.raises(LimitReached, match="You have 3 resources"):
        store.create(resources[5])
    assert store.get(resources[3].resource_id) is None
    assert store.find(resources[3].address) is None
    store.delete(resources[0], NOON)
    assert [creates(store, resource) for resource in resources[5:7]] == [True, False]


def test_limit_holds_for_concurrent_creates(cloud: App, store: DynamoResourceStore, resources: list[Resource]) -> None:
    with ThreadPoolExecutor(5) as pool:
        created = list(pool.map(lambda resource: creates(store, resource), resources))
    assert sum(created) == MOST == count_of(cloud, resources[0])


def test_rejected_changes_are_not_counted(cloud: App, store: DynamoResourceStore, resources: list[Resource]) -> None:
    first = resources[0]
    store.create(first)
    with pytest.raises(AddressTaken):
        store.create(replace(resources[1], slug=first.slug))
    store.replace(first, replace(first, revision=2, slug="other"))
    assert count_of(cloud, first) == 1


@pytest.mark.parametrize("begins_with", ["create", "delete"])
def test_resources_of_earlier_versions_are_counted(
    cloud: App, store: DynamoResourceStore, resources: list[Resource], begins_with: str
) -> None:
    for resource in resources[:3]:
        store.create(resource)
    store.delete(resources[0], NOON)
    forget_count(cloud, resources[0])
    if begins_with == "delete":
        store.delete(resources[1], NOON)
        assert count_of(cloud, resources[0]) == 1
    else:
        assert [creates(store, resource) for resource in resources[5:7]] == [True, False]
        assert count_of(cloud, resources[0]) == MOST


def test_create_at_the_limit_does_not_count_again(store: DynamoResourceStore, resources: list[Resource]) -> None:
    for resource in resources[:3]:
        store.create(resource)
    with recorded("dynamodb") as calls:
        assert not creates(store, resources[3])
    assert operations(calls) == ["TransactWriteItems", "GetItem", "TransactWriteItems"]
