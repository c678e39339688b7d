"""The sync writes what changed and nothing else, retires what is missing, and takes it back."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.upstream import HttpUpstream
from instant.domain.exchange import Reply, Request
from tests.integration.aws_calls import recorded
from tests.integration.house import House

SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def _written(house: House, **detail: object) -> tuple[dict[str, Any], set[str]]:
    """What a sync says it did, and the models that it wrote."""
    with recorded("dynamodb") as calls:
        result = house.sync(**detail)
    rows = [
        request["PutRequest"]["Item"]["openrouter_id"]["S"]
        for call in calls
        if call.operation == "BatchWriteItem"
        for requests in call.parameters["RequestItems"].values()
        for request in requests
    ]
    assert len(rows) == len(set(rows)) == result["written"]
    return result, set(rows)


def _model(house: House, openrouter_id: str) -> dict[str, Any]:
    return dict(house.call("GET", f"/api/models/{openrouter_id}", user=None).json)


def _without(house: House, *ids: str) -> None:
    house.fake.catalog = [row for row in house.fake.catalog if row["id"] not in ids]


def test_the_first_sync_writes_everything_and_the_second_nothing(house: House) -> None:
    ids = {row["id"] for row in house.fake.catalog}
    (result, written) = _written(house)
    assert (result, written) == ({"seen": len(ids), "written": len(ids), "added": len(ids), "removed": 0}, ids)
    assert {row["openrouter_id"]["S"] for row in house.table("MODELS_TABLE")} == ids
    before = house.table("MODELS_TABLE")
    assert _written(house) == ({"seen": len(ids), "written": 0, "added": 0, "removed": 0}, set())
    assert house.table("MODELS_TABLE") == before
    (asked, _) = house.fake.requests
    assert (asked.path, asked.query) == ("/api/v1/models", {"output_modalities": "all"})
    assert "authorization" not in asked.headers


CHANGES: dict[str, Any] = {
    "price": lambda row: row["pricing"].update(prompt="0.00000019"),
    "a new price": lambda row: row["pricing"].update(web_search="0.01"),
    "an override": lambda row: row["pricing"].update(overrides=[{"min_prompt_tokens": 9, "prompt": "0.1"}]),
    "context": lambda row: row.update(context_length=99_000),
    "longest answer": lambda row: row["top_provider"].update(max_completion_tokens=None),
    "parameters": lambda row: row["supported_parameters"].remove("temperature"),
    "modalities": lambda row: row["architecture"]["input_modalities"].append("image"),
    "name": lambda row: row.update(name="Meadow: Lark 2"),
    "end": lambda row: row.update(expiration_date="2031-01-31"),
    "defaults": lambda row: row.update(default_parameters={"temperature": 0.3}),
}


def test_each_change_writes_its_model_and_no_other(house: House) -> None:
    house.sync()
    for change in CHANGES.values():
        row = next(row for row in house.fake.catalog if row["id"] == "meadow/lark")
        change(row)
        assert _written(house)[1] == {"meadow/lark"}
    now = _model(house, "meadow/lark")
    assert (now["pricing"]["prompt"], now["context_length"], now["max_tokens"]) == ("0.00000019", 99_000, None)
    assert (now["display_name"], now["default_parameters"]) == ("Meadow: Lark 2", {"temperature": 0.3})


def test_the_order_of_words_and_keys_that_we_do_not_keep_are_no_change(house: House) -> None:
    house.sync()
    for row in house.fake.catalog:
        row["supported_parameters"].reverse()
        row["architecture"]["input_modalities"].reverse()
        row.update(knowledge_cutoff="2026-06-30", benchmarks={"arena": 1}, hugging_face_id="x/y")
    assert _written(house)[1] == set()


def test_a_missing_model_is_retired_once_and_comes_back(house: House) -> None:
    house.sync()
    rows = copy.deepcopy(house.fake.catalog)
    _without(house, "meadow/lark", "stealth/bare")
    result, written = _written(house)
    assert (result["removed"], written) == (2, {"meadow/lark", "stealth/bare"})
    gone = _model(house, "meadow/lark")
    assert (gone["is_active"], gone["usable"], gone["display_name"]) == (False, False, "Meadow: Lark")
    assert gone["missing_since"] == gone["last_synced_at"]
    assert _written(house)[1] == set()
    assert _model(house, "meadow/lark")["missing_since"] == gone["missing_since"]

    house.fake.catalog = rows
    result, written = _written(house)
    assert (result["added"], result["removed"], written) == (0, 0, {"meadow/lark", "stealth/bare"})
    back = _model(house, "meadow/lark")
    assert (back["is_active"], back["usable"], back["missing_since"]) == (True, True, None)


def test_a_resource_on_a_retired_model_says_so_until_it_comes_back(furnished: House) -> None:
    resource = furnished.resource(config={"model": "meadow/lark"})
    rows = furnished.fake.catalog
    _without(furnished, "meadow/lark")
    furnished.sync()
    refused = furnished.execute(resource["resource_id"])
    assert (refused.status, refused.code) == (409, "model_unavailable")
    assert furnished.call("GET", f"/api/resources/{resource['resource_id']}").json["model"]["is_active"] is False
    furnished.fake.catalog = rows
    furnished.sync()
    assert furnished.execute(resource["resource_id"]).status == 200


def test_the_schedule_syncs_too(house: House) -> None:
    assert house.invoke("CatalogSyncFunction", SCHEDULE)["seen"] == len(house.fake.catalog)


class PagedUpstream(HttpUpstream):
    """Asks for the catalog in pages, as OpenRouter may one day send it unasked."""

    def send(self, request: Request, *, seconds: float) -> Reply:
        path = request.path if "limit=" in request.path else f"{request.path}&limit=20"
        return super().send(replace(request, path=path), seconds=seconds)


def test_every_page_is_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    module = house.module("CatalogSyncFunction")
    monkeypatch.setattr(module, "upstream", PagedUpstream({module.BASE_URL: house.fake.url}))
    assert _written(house)[1] == {row["id"] for row in house.fake.catalog}
    assert [asked.query.get("offset") for asked in house.fake.requests] == [None, "20", "40", "60"]
    assert all(asked.query["output_modalities"] == "all" for asked in house.fake.requests)
    module.upstream.close()
    module.upstream.close()


@pytest.mark.parametrize(("lost", "of"), [(6, 60), (1, 10)])
def test_a_tenth_may_go(house: House, lost: int, of: int) -> None:
    house.fake.catalog = house.fake.catalog[:of]
    house.sync()
    house.fake.catalog = house.fake.catalog[: of - lost]
    assert house.sync()["removed"] == lost


def test_retired_models_do_not_count_as_lost_again(house: House) -> None:
    house.fake.catalog = house.fake.catalog[:60]
    for left in (54, 49, 45):
        house.sync()
        house.fake.catalog = house.fake.catalog[:left]
    assert house.sync()["removed"] == 4


def test_a_sync_leaves_one_record(house: House) -> None:
    house.sync()
    house.sync()
    (record,) = house.table("LIMITS_TABLE")
    assert record["name"]["S"] == "catalog#sync"
    assert (record["seen"]["N"], record["written"]["N"]) == (str(len(house.fake.catalog)), "0")


@pytest.mark.parametrize("unreadable", [2, 3])
def test_two_unreadable_rows_in_a_hundred_are_left_out(house: House, unreadable: int) -> None:
    rows = [{**house.fake.catalog[0], "id": f"meadow/number-{number}"} for number in range(100)]
    for row in rows[:unreadable]:
        del row["pricing"]
    house.fake.serve_catalog(json.dumps({"data": rows, "total_count": 100}).encode())
    if unreadable == 2:
        assert house.sync()["seen"] == 98
    else:
        with pytest.raises(Exception, match="3 of 100 rows are unreadable"):
            house.sync()
        assert house.table("MODELS_TABLE") == house.table("LIMITS_TABLE") == []
