"""The resource store: unique addresses, updates by revision, and stable lists."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instant.adapters.resources.lists import DynamoResourceLists
from instant.adapters.resources.store import DynamoResourceStore
from instant.domain.errors import AddressTaken, RevisionConflict
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.resources.listing import ResourceFilter, ResourceSort
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource, Visibility
from tests.fakes.builders import NOON, a_resource
from tests.integration.app import App
from tests.integration.resource_stores import a_resource_store

ALL = ResourceFilter()


@pytest.fixture
def store(cloud: App) -> DynamoResourceStore:
    return a_resource_store(cloud)


@pytest.fixture
def lists(cloud: App) -> DynamoResourceLists:
    return DynamoResourceLists(cloud.name("RESOURCES_TABLE"))


@pytest.fixture
def resource(fresh: Callable[[str], str]) -> Resource:
    """A resource of a user who has no other."""
    return a_resource(fresh("res"), owner_id=fresh("user"))


def second(resource: Resource, fresh: Callable[[str], str], **more: object) -> Resource:
    """Another resource of the same user."""
    return replace(resource, resource_id=fresh("res"), **more)  # type: ignore[arg-type]


def listed(resource: Resource) -> Resource:
    """Return the resource as lists contain it: without its settings."""
    return replace(resource, config={})


def public_of(lists: DynamoResourceLists) -> Callable[[PageRequest], Page[Resource]]:
    """Return all public resources, newest first."""
    return lambda page: lists.public(ResourceSort.NEWEST, ALL, page)


def all_pages(read: Callable[[PageRequest], Page[Resource]], limit: int) -> list[str]:
    """Return the ids of all pages in order."""
    seen: list[str] = []
    page = read(PageRequest(limit))
    while True:
        assert len(page.items) <= limit
        seen += [item.resource_id for item in page.items]
        if page.next is None:
            return seen
        page = read(PageRequest(limit, Cursor.decode(page.next.encode())))


def test_get_finds_a_resource_by_id_and_by_address(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    assert store.get(resource.resource_id) == resource
    assert store.find(resource.address) == resource


def test_store_returns_every_field_it_saved(store: DynamoResourceStore, resource: Resource) -> None:
    config = {"model": "a/b", "temperature": 0.1, "seed": 2**53, "stop": ["é", "\n"], "system_prompt": "😀"}
    full = replace(resource, description="", category="art", visibility=Visibility.UNLISTED, config=config, revision=7)
    store.create(full)
    assert store.get(full.resource_id) == full


def test_get_of_a_missing_resource_returns_none(store: DynamoResourceStore) -> None:
    assert store.get("res_none") is None
    assert store.find("unobody/haiku") is None
    assert store.find("") is None


def test_get_does_not_accept_an_address_as_an_id(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    assert store.get(f"addr#{resource.address}") is None


def test_create_with_a_taken_address_stores_nothing(
    store: DynamoResourceStore, resource: Resource, fresh: Callable[[str], str]
) -> None:
    store.create(resource)
    other = second(resource, fresh)
    with pytest.raises(AddressTaken, match="'haiku'"):
        store.create(other)
    assert store.get(other.resource_id) is None
    assert store.find(resource.address) == resource


def test_create_allows_the_slug_of_another_user(
    store: DynamoResourceStore, resource: Resource, fresh: Callable[[str], str]
) -> None:
    store.create(resource)
    other = second(resource, fresh, owner_id=fresh("user"))
    store.create(other)
    assert store.find(other.address) == other


def test_concurrent_creates_of_an_address_succeed_once(
    store: DynamoResourceStore, lists: DynamoResourceLists, resource: Resource, fresh: Callable[[str], str]
) -> None:
    candidates = [second(resource, fresh) for _ in range(20)]

    def try_to_write(candidate: Resource) -> bool:
        try:
            store.create(candidate)
        except AddressTaken:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        stored = [
            candidate
            for candidate, created in zip(candidates, pool.map(try_to_write, candidates), strict=True)
            if created
        ]
    assert len(stored) == 1
    assert store.find(resource.address) == stored[0]
    assert lists.owned_by(resource.owner_id, ALL, PageRequest()).items == [listed(*stored)]


def test_create_does_not_reuse_an_id(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    with pytest.raises(RevisionConflict):
        store.create(replace(resource, slug="other"))
    assert store.find(replace(resource, slug="other").address) is None


def test_update_moves_the_address(store: DynamoResourceStore, resource: Resource, fresh: Callable[[str], str]) -> None:
    store.create(resource)
    moved = replace(resource, slug="sonnet", revision=2)
    store.replace(resource, moved)
    assert store.get(resource.resource_id) == moved
    assert store.find(moved.address) == moved
    assert store.find(resource.address) is None
    store.create(second(resource, fresh))


def test_update_may_keep_the_address(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    renamed = replace(resource, name="Sonnet", revision=2)
    store.replace(resource, renamed)
    assert store.find(resource.address) == renamed


def test_update_rejects_the_address_of_another_resource(
    store: DynamoResourceStore, resource: Resource, fresh: Callable[[str], str]
) -> None:
    other = second(resource, fresh, slug="sonnet")
    store.create(resource)
    store.create(other)
    with pytest.raises(AddressTaken, match="'sonnet'"):
        store.replace(resource, replace(resource, slug="sonnet", revision=2))
    assert store.find(resource.address) == resource
    assert store.find(other.address) == other


def test_update_of_a_stale_revision_changes_nothing(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    current = replace(resource, name="First", revision=2)
    store.replace(resource, current)
    with pytest.raises(RevisionConflict):
        store.replace(resource, replace(resource, slug="late", revision=2))
    assert store.get(resource.resource_id) == current
    assert store.find(replace(resource, slug="late").address) is None


def test_concurrent_updates_of_a_revision_succeed_once(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)

    def try_to_write(number: int) -> bool:
        try:
            store.replace(resource, replace(resource, name=f"{number}", revision=2))
        except RevisionConflict:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(try_to_write, range(10))) == 1


def test_delete_removes_the_resource_and_frees_its_address(
    store: DynamoResourceStore, lists: DynamoResourceLists, resource: Resource, fresh: Callable[[str], str]
) -> None:
    public = replace(resource, visibility=Visibility.PUBLIC)
    store.create(public)
    store.delete(public, NOON)
    assert store.get(public.resource_id) is None
    assert store.find(public.address) is None
    assert lists.owned_by(public.owner_id, ALL, PageRequest()).items == []
    assert public.resource_id not in all_pages(public_of(lists), 50)
    successor = second(public, fresh)
    store.create(successor)
    assert store.find(public.address) == replace(successor, usage=UseCounts())


def test_delete_removes_the_resource_from_the_public_index(
    cloud: App, store: DynamoResourceStore, resource: Resource
) -> None:
    public = replace(resource, visibility=Visibility.PUBLIC)
    store.create(public)
    store.delete(public, NOON)
    (row,) = [row for row in cloud.table("RESOURCES_TABLE") if row["resource_id"]["S"] == public.resource_id]
    assert "listing" not in row
    assert row["deleted_at"] == {"S": NOON}


def test_deleted_resource_cannot_be_updated_or_deleted(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    store.delete(resource, NOON)
    with pytest.raises(RevisionConflict):
        store.delete(resource, NOON)
    with pytest.raises(RevisionConflict):
        store.replace(resource, replace(resource, name="Back", revision=2))
    assert store.get(resource.resource_id) is None


def test_delete_of_a_stale_revision_is_rejected(store: DynamoResourceStore, resource: Resource) -> None:
    store.create(resource)
    current = replace(resource, revision=2)
    store.replace(resource, current)
    with pytest.raises(RevisionConflict):
        store.delete(resource, NOON)
    assert store.find(resource.address) == current


def test_public_list_contains_only_public_resources(
    store: DynamoResourceStore, lists: DynamoResourceLists, resource: Resource, fresh: Callable[[str], str]
) -> None:
    made = {
        visibility: second(resource, fresh, slug=f"s-{visibility}", visibility=visibility) for visibility in Visibility
    }
    for one in made.values():
        store.create(one)
    listed = all_pages(public_of(lists), 7)
    assert made[Visibility.PUBLIC].resource_id in listed
    assert made[Visibility.PRIVATE].resource_id not in listed
    assert made[Visibility.UNLISTED].resource_id not in listed
    hidden = replace(made[Visibility.PUBLIC], visibility=Visibility.PRIVATE, revision=2)
    store.replace(made[Visibility.PUBLIC], hidden)
    assert hidden.resource_id not in all_pages(public_of(lists), 7)


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 4))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_return_each_resource_once_newest_first(
    store: DynamoResourceStore, lists: DynamoResourceLists, fresh: Callable[[str], str], kept: list[bool], limit: int
) -> None:
    owner, expected = fresh("user"), list[str]()
    for number, keep in enumerate(kept):
        made = a_resource(
            fresh("res"), owner_id=owner, slug=f"s-{number}", created_at=f"2026-11-22T12:00:{number // 2:02}Z"
        )
        store.create(made)
        if keep:
            expected.append(made.resource_id)
        else:
            store.delete(made, NOON)
    seen = all_pages(lambda page: lists.owned_by(owner, ALL, page), limit)
    assert sorted(seen) == sorted(expected)
    assert len(seen) == len(set(seen))
    created = [found.created_at for name in seen if (found := store.get(name))]
    assert created == sorted(created, reverse=True)


def test_pages_are_stable_under_concurrent_writes(
    store: DynamoResourceStore, lists: DynamoResourceLists, resource: Resource, fresh: Callable[[str], str]
) -> None:
    made = [second(resource, fresh, slug=f"s-{n}", created_at=f"2026-11-22T12:00:{n:02}Z") for n in range(6)]
    for one in made:
        store.create(one)
    page = lists.owned_by(resource.owner_id, ALL, PageRequest(2))
    store.create(second(resource, fresh, slug="newest", created_at="2026-11-22T13:00:00Z"))
    store.delete(made[4], NOON)
    store.delete(made[2], NOON)
    rest = lists.owned_by(resource.owner_id, ALL, PageRequest(9, page.next))
    assert [item.slug for item in page.items] == ["s-5", "s-4"]
    assert [item.slug for item in rest.items] == ["s-3", "s-1", "s-0"]
    assert rest.next is None


def test_cursor_contains_no_data_of_its_owner(
    store: DynamoResourceStore, lists: DynamoResourceLists, resource: Resource, fresh: Callable[[str], str]
) -> None:
    for number in range(3):
        store.create(second(resource, fresh, slug=f"s-{number}", created_at=f"2026-11-22T12:00:{number:02}Z"))
    cursor = lists.owned_by(resource.owner_id, ALL, PageRequest(1)).next
    assert cursor is not None
    other_owner = fresh("user")
    assert lists.owned_by(other_owner, ALL, PageRequest(50, cursor)).items == []
    own = second(resource, fresh, owner_id=other_owner, created_at="2026-11-22T11:00:00Z")
    store.create(own)
    assert lists.owned_by(other_owner, ALL, PageRequest(50, cursor)).items == [listed(own)]
    shown = all_pages(lambda page: public_of(lists)(PageRequest(page.limit, page.after or cursor)), 50)
    assert not any(name in shown for name in all_pages(lambda page: lists.owned_by(resource.owner_id, ALL, page), 50))
