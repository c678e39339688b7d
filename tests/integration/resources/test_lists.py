"""Lists of own and of public resources are returned newest first in pages."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from tests.integration.app import Answer, App
from tests.integration.aws_calls import recorded
from tests.integration.synced_app import created, deployed_synced_app, new_user


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def _list(app: App, user: str, **query: str) -> Answer:
    return app.call("GET", "/api/resources", query=query, user=user)


def _pages(app: App, user: str, **query: str) -> Iterator[list[str]]:
    """Yield the ids of each page."""
    cursor: dict[str, str] = {}
    while True:
        answer = _list(app, user, **query, **cursor)
        assert answer.status == 200, answer.text
        assert set(answer.json) == {"data", "next_cursor"}
        yield [resource["resource_id"] for resource in answer.json["data"]]
        if answer.json["next_cursor"] is None:
            return
        cursor = {"cursor": answer.json["next_cursor"]}


def _create(app: App, user: str, count: int, **fields: Any) -> list[str]:
    """Create `count` resources and return their ids, newest first."""
    return [created(app, user, **fields)["resource_id"] for _ in range(count)][::-1]


@pytest.mark.parametrize(("limit", "sizes"), [("1", [1] * 4), ("2", [2, 2]), ("3", [3, 1]), ("4", [4]), ("200", [4])])
def test_pages_return_each_resource_once_newest_first(shared: App, limit: str, sizes: list[int]) -> None:
    user = new_user()
    ids = _create(shared, user, 4)
    pages = list(_pages(shared, user, limit=limit))
    assert [len(page) for page in pages] == sizes
    assert [each for page in pages for each in page] == ids


def test_list_of_a_new_user_returns_no_resources(shared: App) -> None:
    assert _list(shared, new_user()).json == {"data": [], "next_cursor": None}


def test_own_list_returns_every_visibility_and_no_foreign_resources(shared: App) -> None:
    user, other = new_user(), new_user()
    ids = [_create(shared, user, 1, visibility=each)[0] for each in ("private", "unlisted", "public")]
    _create(shared, other, 1, visibility="public")
    assert list(_pages(shared, user)) == [ids[::-1]]
    assert _list(shared, user, listing="mine").json == _list(shared, user).json


def test_lists_do_not_return_settings(shared: App) -> None:
    """Fifty resources with the largest settings would exceed the maximum response size."""
    user = new_user()
    resource_id = created(shared, user, {"system_prompt": "x" * 9_000}, visibility="public")["resource_id"]
    for listing in ("mine", "public"):
        answer = _list(shared, user, listing=listing)
        (row,) = (row for row in answer.json["data"] if row["resource_id"] == resource_id)
        assert (row["ai_model_id"], "config" in row) == ("meadow/lark", False)
        assert "xxx" not in answer.text
    assert len(shared.call("GET", f"/api/resources/{resource_id}", user=user).json["config"]["system_prompt"]) == 9_000


@pytest.mark.parametrize("query", [{}, {"q": "haiku"}, {"affected": "true"}], ids=str)
def test_own_lists_do_not_read_settings(shared: App, query: dict[str, str]) -> None:
    user = new_user()
    created(shared, user, {"system_prompt": "x" * 9_000})
    with recorded("dynamodb") as calls:
        assert _list(shared, user, **query).status == 200
    reads = [call.parameters for call in calls if call.operation in {"Query", "GetItem", "BatchGetItem"}]
    assert [read["IndexName"] for read in reads if read.get("TableName") == shared.name("RESOURCES_TABLE")] == ["owned"]
    rows = aws.client("dynamodb").query(
        **{name: value for name, value in reads[0].items() if name != "ExclusiveStartKey"}
    )["Items"]
    assert rows
    assert all("config" not in row for row in rows)


def test_affected_list_reads_models_of_resources_without_stored_prices(shared: App) -> None:
    user = new_user()
    resource_id = created(shared, user, {"fallback_models": ["meadow/lark-mini"]})["resource_id"]
    aws.client("dynamodb").update_item(
        TableName=shared.name("RESOURCES_TABLE"),
        Key={"resource_id": {"S": resource_id}},
        UpdateExpression="REMOVE prices SET config = :config, ai_model_id = :model",
        ExpressionAttributeValues={
            ":config": {"S": '{"model": "meadow/lark", "fallback_models": ["meadow/none"]}'},
            ":model": {"S": "meadow/lark"},
        },
    )
    (row,) = _list(shared, user, affected="true").json["data"]
    assert row["affected_models"] == [{"openrouter_id": "meadow/none", "status": "gone"}]


def test_deleted_resources_do_not_leave_empty_pages(shared: App) -> None:
    user = new_user()
    ids = _create(shared, user, 5)
    for resource_id in (ids[0], ids[1], ids[3]):
        assert shared.call("DELETE", f"/api/resources/{resource_id}", user=user).status == 204
    assert list(_pages(shared, user, limit="1")) == [[ids[2]], [ids[4]]]


def test_public_list_returns_public_resources_of_all_users(shared: App) -> None:
    one, two = new_user(), new_user()
    first = _create(shared, one, 1, visibility="public")
    hidden = [_create(shared, one, 1, visibility=visibility)[0] for visibility in ("private", "unlisted")]
    second = _create(shared, two, 2, visibility="public")

    def public(user: str) -> list[str]:
        listed = [each for page in _pages(shared, user, listing="public", limit="2") for each in page]
        return [each for each in listed if each in {*first, *second, *hidden}]

    assert [public(user) for user in (one, two, new_user())] == [second + first] * 3
    shared.call("PATCH", f"/api/resources/{first[0]}", {"visibility": "unlisted"}, user=one)
    shared.call("PATCH", f"/api/resources/{hidden[0]}", {"visibility": "public"}, user=one)
    shared.call("DELETE", f"/api/resources/{second[1]}", user=two)
    assert public(two) == [second[0], hidden[0]]


def test_foreign_cursor_does_not_return_foreign_resources(shared: App) -> None:
    user, other = new_user(), new_user()
    ids = _create(shared, user, 3)
    theirs = _create(shared, other, 3)
    cursor = _list(shared, user, limit="1").json["next_cursor"]
    seen = [resource["resource_id"] for resource in _list(shared, other, cursor=cursor).json["data"]]
    assert set(seen) <= set(theirs)
    assert not set(seen) & set(ids)


def _word(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        "x",
        "é",
        "a b",
        _word("7"),
        _word("[]"),
        _word('["a"]'),
        _word('["a","b","c"]'),
        _word("[1,2]"),
        _word('["",""]'),
        _word('{"a":1}'),
        _word('["\\ud800","b"]'),
        _word('["a","\\u0000"]'),
        _word(f'["a","{"b" * 3_000}"]'),
        _word("[" * 5_000),
    ],
)
def test_list_rejects_forged_cursors(shared: App, cursor: str) -> None:
    answer = _list(shared, "alice", cursor=cursor)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"listing": "all"}, "listing"),
        ({"listing": ""}, "listing"),
        ({"owner": "user_bob"}, "owner"),
        ({"Limit": "5"}, "Limit"),
        ({"limit": "5", "offset": "5"}, "offset"),
    ],
)
def test_list_rejects_invalid_query_parameters(shared: App, query: dict[str, str], field: str) -> None:
    answer = _list(shared, "alice", **query)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_resource_routes_reject_unknown_query_parameters(shared: App) -> None:
    user = new_user()
    path = f"/api/resources/{_create(shared, user, 1)[0]}"
    for method, body in (("GET", None), ("PATCH", {"name": "New"}), ("DELETE", None)):
        answer = shared.call(method, path, body, query={"force": "true"}, user=user)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "force")
    assert shared.call("GET", path, user=user).json["revision"] == 1
