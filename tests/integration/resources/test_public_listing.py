"""Public resources are filtered by category, type, author and text, with stable paging during writes."""

from typing import Any

import pytest

from instant.adapters.resources.rows import LISTED_FACTS, OWNED_FACTS, USE_FACTS
from instant.adapters.resources.store import DynamoResourceStore
from instant.domain.resources.resource import Resource, Visibility
from tests.integration.app import TEMPLATE, Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.resource_stores import a_resource_store

SORTS = ("newest", "most_used", "success_rate")


def store_of(app: App) -> DynamoResourceStore:
    """Return the app's resource store."""
    return a_resource_store(app)


def put(app: App, number: int, **more: Any) -> Resource:
    """Store a public resource whose creation time is derived from `number`."""
    time = f"2026-01-01T00:00:00.{number:06d}Z"
    facts: dict[str, Any] = {
        "resource_id": f"res_{number:026d}",
        "owner_id": "user_alice",
        "resource_type": "openrouter_instant",
        "name": f"Number {number}",
        "slug": f"number-{number}",
        "visibility": Visibility.PUBLIC,
        "ai_model_id": "meadow/lark",
        "created_at": time,
        "updated_at": time,
        "config": {"model": "meadow/lark", "system_prompt": "s" * 3_000},
    }
    resource = Resource(**{**facts, **more})
    store_of(app).create(resource)
    return resource


def page(app: App, *, user: str = "bob", **query: str) -> Answer:
    """Request one page of the public list."""
    return app.call("GET", "/api/resources", user=user, query={"listing": "public", **query})


def found(app: App, **query: str) -> list[str]:
    """Return the names on the first page."""
    answer = page(app, **query)
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.json["data"]]


def all_pages(app: App, between: Any = lambda: None, **query: str) -> list[str]:
    """Return the ids of all pages; call `between` after each page."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        answer = page(app, **query, **cursor)
        assert answer.status == 200, answer.text
        ids += [row["resource_id"] for row in answer.json["data"]]
        if answer.json["next_cursor"] is None:
            return ids
        cursor = {"cursor": answer.json["next_cursor"]}
        between()
    raise AssertionError("the list has more than 100 pages")


@pytest.fixture
def library(app: App) -> App:
    """An app with four public resources, one unlisted and one private."""
    put(app, 1, name="Haiku of the Sea", category="poems", description="Drei Zeilen über Straßen")
    put(app, 2, name="Invoice reader", category="office", ai_model_id="northwind/clerk", description="100% _exact_")
    put(app, 3, name="Sonnet", category="poems", resource_type="prompt_template", owner_id="user_bob", slug="s")
    put(app, 4, name="Lark song", ai_model_id="meadowlands/lark")
    put(app, 5, name="Private haiku", category="poems", visibility=Visibility.PRIVATE)
    put(app, 6, name="Unlisted haiku", category="poems", visibility=Visibility.UNLISTED)
    return app


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Lark song", "Sonnet", "Invoice reader", "Haiku of the Sea"]),
        ({"category": "poems"}, ["Sonnet", "Haiku of the Sea"]),
        ({"category": "poem"}, []),
        ({"resource_type": "prompt_template"}, ["Sonnet"]),
        ({"author": "meadow"}, ["Sonnet", "Haiku of the Sea"]),
        ({"author": "northwind"}, ["Invoice reader"]),
        ({"author": "Meadow"}, []),
        ({"q": "HAIKU"}, ["Haiku of the Sea"]),
        ({"q": "strassen"}, ["Haiku of the Sea"]),
        ({"q": "poems"}, ["Sonnet", "Haiku of the Sea"]),
        ({"q": "meadowlands/"}, ["Lark song"]),
        ({"q": "% _ex"}, ["Invoice reader"]),
        ({"q": "sssss"}, []),
        ({"category": "poems", "author": "meadow", "q": "sea"}, ["Haiku of the Sea"]),
    ],
)
def test_public_filters_return_the_matching_resources(library: App, query: dict[str, str], names: list[str]) -> None:
    assert found(library, **query) == names
    for sort in SORTS:
        assert sorted(found(library, sort=sort, **query)) == sorted(names)


def test_filters_apply_to_own_resources(library: App) -> None:
    for query, names in (
        ({"category": "poems"}, ["Unlisted haiku", "Private haiku", "Haiku of the Sea"]),
        ({"q": "private"}, ["Private haiku"]),
        ({"author": "northwind"}, ["Invoice reader"]),
    ):
        answer = library.call("GET", "/api/resources", query=query)
        assert [row["name"] for row in answer.json["data"]] == names
    mine = library.call("GET", "/api/resources", user="bob").json["data"]
    assert [row["name"] for row in mine] == ["Sonnet"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sort": "cheapest"}, "sort"),
        ({"listing": "mine", "sort": "most_used"}, "sort"),
        ({"resource_type": "telepathy"}, "resource_type"),
        ({"category": "Not A Slug"}, "category"),
        ({"author": "a/b"}, "author"),
        ({"q": ""}, "q"),
        ({"q": " "}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"order": "newest"}, "order"),
    ],
)
def test_public_list_rejects_invalid_query_parameters(app: App, query: dict[str, str], field: str) -> None:
    answer = page(app, **query)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_list_rejects_a_cursor_of_another_sort_order(library: App) -> None:
    cursor = page(library, limit="1").json["next_cursor"]
    for query in ({"sort": "most_used"}, {"sort": "success_rate"}):
        answer = page(library, cursor=cursor, **query)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "cursor")


@pytest.mark.parametrize("limit", ["1", "3", "7", "200"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_return_the_whole_list_in_order(app: App, sort: str, limit: str) -> None:
    ids = [put(app, number).resource_id for number in range(21)]
    assert all_pages(app, sort=sort, limit=limit) == ids[::-1]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("query", [{}, {"category": "kept"}])
def test_paging_returns_lasting_resources_once_during_writes(app: App, sort: str, query: dict[str, str]) -> None:
    """Resources that exist throughout are returned once, despite creations and deletions between two pages."""
    kept = [put(app, number, category="kept").resource_id for number in range(100, 140, 2)]
    gone = [put(app, number, category="kept") for number in range(101, 141, 2)]
    store, fresh = store_of(app), iter(range(200, 300))

    def between() -> None:
        put(app, next(fresh), category="kept")
        store.delete(gone.pop(), "2026-02-01T00:00:00.000000Z")
        store.delete(gone.pop(0), "2026-02-01T00:00:00.000000Z")

    ids = all_pages(app, between, sort=sort, limit="5", **query)
    assert len(ids) == len(set(ids))
    assert [resource_id for resource_id in ids if resource_id in kept] == kept[::-1]


def test_cursor_continues_after_its_row_is_deleted(app: App) -> None:
    resources = [put(app, number) for number in range(6)]
    first = page(app, limit="3").json
    store_of(app).delete(resources[3], "2026-02-01T00:00:00.000000Z")
    rest = page(app, limit="3", cursor=first["next_cursor"]).json
    assert [row["resource_id"] for row in rest["data"]] == [resources[n].resource_id for n in (2, 1, 0)]


def test_list_request_reads_a_bounded_number_of_rows(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instant.adapters.resources.lists._ROWS_PER_READ", 10)
    monkeypatch.setattr("instant.adapters.resources.lists.MAX_EXAMINED", 40)
    wanted = [put(app, number, category="rare" if number in (3, 50) else None) for number in range(100)]
    answers: list[list[str]] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        with recorded("dynamodb") as calls:
            answer = page(app, category="rare", limit="5", **cursor).json
        assert operations(calls) == ["Query"] * min(len(calls), 4)
        assert [call.parameters["Limit"] for call in calls] == [10] * len(calls)
        answers.append([row["resource_id"] for row in answer["data"]])
        cursor = {"cursor": answer["next_cursor"]}
    assert answers == [[], [wanted[50].resource_id], [wanted[3].resource_id]]
    assert cursor == {"cursor": None}


def test_unfiltered_page_requires_one_query_without_settings(app: App) -> None:
    for number in range(30):
        put(app, number)
    for sort, index in (("newest", "public"), ("most_used", "popular"), ("success_rate", "reliable")):
        with recorded("dynamodb") as calls:
            answer = page(app, sort=sort, limit="20")
        assert [(call.operation, call.parameters["IndexName"]) for call in calls] == [("Query", index)]
        assert len(answer.json["data"]) == 20
        assert "sss" not in answer.text


def test_filters_return_a_resource_by_its_changed_values(seeded: App) -> None:
    resource = seeded.resource(visibility="public", category="old", name="Old name")
    path = f"/api/resources/{resource['resource_id']}"
    assert seeded.call("PATCH", path, {"category": "new", "name": "New NAME"}).status == 200
    assert [len(found(seeded, category=category)) for category in ("old", "new")] == [0, 1]
    assert [len(found(seeded, q=text)) for text in ("old", "new name")] == [0, 1]
    assert seeded.call("PATCH", path, {"visibility": "unlisted"}).status == 200
    assert found(seeded) == []


def test_indexes_project_the_listed_attributes() -> None:
    indexes = TEMPLATE["Resources"]["ResourcesTable"]["Properties"]["GlobalSecondaryIndexes"]
    kept = [index for index in indexes if "Fn::If" not in index]
    held = {index["IndexName"]: index["Projection"].get("NonKeyAttributes") for index in kept}
    ranked = [*LISTED_FACTS[:9], "created_at", *LISTED_FACTS[9:]]
    assert held.pop("by_model") == USE_FACTS
    owned = [name for name in OWNED_FACTS if name != "owner_id"]
    assert held == {"owned": owned, "public": LISTED_FACTS, "popular": ranked, "reliable": ranked}
