"""A catalog that changes: owners see what became of their models, and each affected resource is told of once."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.use_cases.catalog.notify_owners import NotificationFailed
from tests.fakes.aws_faults import answer, failure, faults
from tests.integration.guests import created
from tests.integration.house import House
from tests.integration.listener import Owners, listening_owners

LARK, MINI, FREE = "meadow/lark", "meadow/lark-mini", "meadow/lark-mini:free"
LATEST = "~meadow/lark-latest"


@pytest.fixture
def owners(house: House) -> Iterator[Owners]:
    with listening_owners(house) as listening:
        house.sync()
        yield listening


def row(house: House, model: str) -> dict[str, Any]:
    """The model as the fake lists it."""
    return next(row for row in house.fake.catalog if row["id"] == model)


def reprice(house: House, model: str, prompt: str) -> None:
    row(house, model)["pricing"]["prompt"] = prompt
    house.sync()


def detail(house: House, resource: dict[str, Any], user: str = "alice") -> Any:
    return house.call("GET", f"/api/resources/{resource['resource_id']}", user=user).json


def affected(house: House, user: str = "alice", **query: str) -> Any:
    return house.call("GET", "/api/resources", user=user, query={"affected": "true", **query}).json


def test_nobody_is_told_of_what_nobody_can_use_yet_or_of_nothing(house: House, owners: Owners) -> None:
    created(house, "alice")
    assert owners.changed.heard() == []
    house.sync()
    row(house, LARK)["description"] = "Another one."
    house.sync()
    assert owners.told() == []


def test_a_new_price_is_told_once_to_each_who_uses_the_model_first_or_as_a_fallback(
    house: House, owners: Owners
) -> None:
    first = created(house, "alice")
    fallback = created(house, "bob", {"model": MINI, "fallback_models": [LARK]})
    gone = created(house, "bob")
    house.call("DELETE", f"/api/resources/{gone['resource_id']}", user="bob")
    created(house, "bob", {"model": MINI})
    old = row(house, LARK)["pricing"]["prompt"]
    reprice(house, LARK, "0.00000019")
    told = owners.told()
    whose = {(one["resource_id"], one["owner_id"]) for one in told}
    assert whose == {(first["resource_id"], "user_alice"), (fallback["resource_id"], "user_bob")}
    assert len({one["id"] for one in told}) == len(told) == 2
    assert {(one["model"], one["change"]) for one in told} == {(LARK, "repriced")}
    assert [(one["old"]["pricing"]["prompt"], one["new"]["pricing"]["prompt"]) for one in told] == [
        (old, "0.00000019")
    ] * 2
    assert set(told[0]) == {"id", "resource_id", "owner_id", "model", "change", "at", "old", "new", "successor"}
    assert owners.told() == []


def test_a_price_is_compared_with_the_one_the_settings_were_saved_under(house: House, owners: Owners) -> None:
    resource = created(house, "alice", visibility="public")
    assert (detail(house, resource)["model_status"], affected(house)["data"]) == ("ok", [])
    old = row(house, LARK)["pricing"]["prompt"]
    reprice(house, LARK, "0.00000019")
    shown = detail(house, resource)
    (model,) = shown["affected_models"]
    assert (shown["model_status"], model["status"], model["successor"]) == ("price_changed", "price_changed", None)
    assert (model["saved_price"]["pricing"]["prompt"], model["price"]["pricing"]["prompt"]) == (old, "0.00000019")
    path = f"/api/resources/{resource['resource_id']}"
    house.call("PATCH", path, {"name": "Renamed"})
    assert detail(house, resource)["model_status"] == "price_changed"
    assert "affected_models" not in detail(house, resource, "bob")
    house.call("PATCH", path, {"config": {"model": LARK}})
    assert (detail(house, resource)["model_status"], affected(house)["data"]) == ("ok", [])


def test_a_model_goes_missing_and_is_gone_and_what_can_take_over_is_suggested(house: House, owners: Owners) -> None:
    resource = created(house, "alice", {"model": MINI})
    silent = created(house, "bob", {"model": MINI}, successor_policy="none")
    listed = house.fake.catalog
    house.fake.catalog = [each for each in listed if each["id"] != MINI]
    house.sync()
    assert [(one["change"], one["successor"]) for one in owners.told() if one["owner_id"] == "user_alice"] == [
        ("missing", FREE)
    ]
    assert (detail(house, resource)["model_status"], detail(house, resource)["successor"]) == ("missing", FREE)
    house.fake.catalog = listed
    house.sync()
    house.retire(MINI)
    told = {one["change"]: one for one in owners.told() if one["owner_id"] == "user_alice"}
    assert set(told) == {"returned", "expiration", "removed"}
    assert told["removed"]["successor"] == FREE
    assert (detail(house, resource)["model_status"], detail(house, resource)["successor"]) == ("gone", FREE)
    assert detail(house, silent, "bob")["successor"] is None
    assert detail(house, silent, "bob")["affected_models"][0]["successor"] is None


def test_who_wants_no_successor_is_told_of_none(house: House, owners: Owners) -> None:
    resource = created(house, "alice", {"model": MINI, "fallback_models": [LARK]}, successor_policy="none")
    assert resource["successor_policy"] == "none"
    house.retire(MINI)
    assert {(one["change"], one["successor"]) for one in owners.told()} == {("expiration", None), ("removed", None)}
    path = f"/api/resources/{resource['resource_id']}"
    assert house.call("PATCH", path, {"successor_policy": None}).code == "invalid_field"
    assert house.call("PATCH", path, {"successor_policy": "suggest"}).json["successor_policy"] == "suggest"
    row(house, LARK)["canonical_slug"] = row(house, FREE)["canonical_slug"]
    house.sync()
    house.retire(LARK)
    assert {one["successor"] for one in owners.told() if one["model"] == LARK} == {FREE}, "of fallbacks, too"


def test_what_is_suggested_suits_the_settings(house: House, owners: Owners) -> None:
    plain = created(house, "alice", {"model": MINI})
    warm = created(house, "alice", {"model": MINI, "temperature": 0.5})
    row(house, FREE)["supported_parameters"] = ["max_tokens"]
    house.retire(MINI)
    assert [detail(house, one)["successor"] for one in (plain, warm)] == [FREE, None]
    changed = {"config": {"model": FREE}}
    assert house.call("PATCH", f"/api/resources/{plain['resource_id']}", changed).status == 200


def test_an_announced_end_and_a_new_target_are_told(house: House, owners: Owners) -> None:
    ending, latest = created(house, "alice"), created(house, "alice", {"model": LATEST})
    row(house, LARK)["expiration_date"] = "2026-12-01"
    row(house, LATEST)["alias_target"] = {"name": "Mini", "slug": MINI}
    house.sync()
    told = {one["resource_id"]: one for one in owners.told()}
    assert told[ending["resource_id"]]["change"] == "expiration"
    assert told[ending["resource_id"]]["new"] == {"expiration_date": "2026-12-01"}
    changed = told[latest["resource_id"]]
    assert (changed["change"], changed["old"], changed["new"]) == (
        "retargeted",
        {"alias_target": LARK},
        {"alias_target": MINI},
    )
    house.retire(LATEST)
    assert {one["successor"] for one in owners.told() if one["model"] == LATEST} == {MINI}


def test_only_the_affected_are_listed_to_their_owner_page_by_page(house: House, owners: Owners) -> None:
    mine = [created(house, "alice", slug=f"n-{number}")["resource_id"] for number in range(3)]
    well = created(house, "alice", {"model": MINI})
    fallback = created(house, "alice", {"model": MINI, "fallback_models": [LARK]})["resource_id"]
    created(house, "bob")
    house.retire(LARK)
    found, query = [], {"limit": "1"}
    while True:
        page = affected(house, **query)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [one["resource_id"] for one in found] == [fallback, *reversed(mine)]
    assert well["resource_id"] not in {one["resource_id"] for one in found}
    assert found[0]["affected_models"] == [{"openrouter_id": LARK, "status": "gone"}]
    shown = detail(house, {"resource_id": fallback})
    assert (shown["model_status"], [one["status"] for one in shown["affected_models"]]) == ("ok", ["gone"])
    assert affected(house, q="nothing like it")["data"] == []
    refused = house.call("GET", "/api/resources", query={"affected": "true", "listing": "public"})
    assert (refused.status, refused.json["error"]["details"]["field"]) == (422, "affected")
    assert "affected_models" not in house.call("GET", "/api/resources").json["data"][0]


def test_changes_that_could_not_be_announced_are_announced_by_the_next_sync(house: House, owners: Owners) -> None:
    resource = created(house, "alice")
    down = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", *[down] * 4):
        reprice(house, LARK, "0.00000019")
    assert house.call("GET", f"/api/models/{LARK}", user=None).json["pricing"]["prompt"] == "0.00000019"
    assert owners.told() == []
    row(house, LARK)["description"] = "A later change of another kind."
    house.sync()
    assert [(one["resource_id"], one["change"]) for one in owners.told()] == [(resource["resource_id"], "repriced")]
    house.sync()
    assert owners.told() == []


def test_an_unchanged_list_is_read_again_until_everything_was_announced(house: House, owners: Owners) -> None:
    created(house, "alice")
    down = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", *[down] * 4):
        reprice(house, LARK, "0.00000019")
    assert house.sync()["outcome"] == "synced"
    assert len(owners.told()) == 1
    assert house.sync()["outcome"] == "unchanged"


def test_who_dies_while_telling_begins_again_and_the_same_has_the_same_name(house: House, owners: Owners) -> None:
    mine = {created(house, "alice", slug=f"n-{number}")["resource_id"] for number in range(12)}
    reprice(house, LARK, "0.00000019")
    (event,) = owners.changed.heard()
    with faults("PutEvents", None, failure("AccessDenied")), pytest.raises(NotificationFailed):
        house.invoke("ModelImpactFunction", event)
    before = owners.told()
    assert 0 < len(before) < 12
    assert house.invoke("ModelImpactFunction", event) == {"models": 1, "events": 12}
    after = owners.told()
    assert {one["resource_id"] for one in after} == mine
    assert {one["id"] for one in before} < {one["id"] for one in after}


def test_a_model_that_cannot_be_told_of_keeps_no_other_from_being_told(
    house: House, owners: Owners, caplog: pytest.LogCaptureFixture
) -> None:
    created(house, "alice")
    other = created(house, "alice", {"model": MINI})
    row(house, LARK)["pricing"]["prompt"] = "0.00000019"
    reprice(house, MINI, "0.00000005")
    (event,) = owners.changed.heard()
    with faults("PutEvents", failure("AccessDenied")), pytest.raises(NotificationFailed, match="1 of 2 models"):
        house.invoke("ModelImpactFunction", event)
    (told,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert (told.message, "AccessDenied" in str(told.exc_text)) == (f"who uses {LARK} was not told", True)
    assert [one["resource_id"] for one in owners.told()] == [other["resource_id"]]
    assert house.invoke("ModelImpactFunction", event) == {"models": 2, "events": 2}


def test_a_price_that_is_not_believed_is_told_to_nobody(house: House, owners: Owners) -> None:
    resource = created(house, "alice")
    before = row(house, LARK)["pricing"]["prompt"]
    for price in ("0.01", before):
        reprice(house, LARK, price)
        assert (owners.told(), detail(house, resource)["model_status"]) == ([], "ok")
    row(house, LARK)["pricing"]["prompt"] = "0.01"
    house.sync(accept_prices=True)
    (told,) = owners.told()
    assert (told["change"], told["new"]["pricing"]["prompt"]) == ("repriced", "0.01")


def test_what_does_not_concern_its_users_is_told_to_nobody(house: House, owners: Owners) -> None:
    created(house, "alice")
    row(house, LARK).update(expiration_date="2098-12-31", name="Lark II", context_length=99_000)
    row(house, LARK)["supported_parameters"].append("top_k")
    house.sync()
    assert owners.told() == []
