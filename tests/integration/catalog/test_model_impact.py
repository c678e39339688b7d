"""Catalog changes notify the owner of each affected resource once and set its model status."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.use_cases.catalog.notify_owners import NotificationFailed
from tests.fakes.aws_faults import answer, failure, faults
from tests.integration.app import App
from tests.integration.event_queues import OwnerNotifications, owner_notifications
from tests.integration.synced_app import created

LARK, MINI, FREE = "meadow/lark", "meadow/lark-mini", "meadow/lark-mini:free"
LATEST = "~meadow/lark-latest"


@pytest.fixture
def owners(app: App) -> Iterator[OwnerNotifications]:
    with owner_notifications(app) as notifications:
        app.sync()
        yield notifications


def row(app: App, model: str) -> dict[str, Any]:
    """Return the model's row in the fake catalog."""
    return next(row for row in app.fake.catalog if row["id"] == model)


def reprice(app: App, model: str, prompt: str) -> None:
    row(app, model)["pricing"]["prompt"] = prompt
    app.sync()


def detail(app: App, resource: dict[str, Any], user: str = "alice") -> Any:
    return app.call("GET", f"/api/resources/{resource['resource_id']}", user=user).json


def affected(app: App, user: str = "alice", **query: str) -> Any:
    return app.call("GET", "/api/resources", user=user, query={"affected": "true", **query}).json


def test_irrelevant_changes_do_not_notify_owners(app: App, owners: OwnerNotifications) -> None:
    created(app, "alice")
    assert owners.changed.receive() == []
    app.sync()
    row(app, LARK)["description"] = "Another one."
    app.sync()
    assert owners.notifications() == []


def test_new_price_notifies_each_affected_resource_once(app: App, owners: OwnerNotifications) -> None:
    first = created(app, "alice")
    fallback = created(app, "bob", {"model": MINI, "fallback_models": [LARK]})
    gone = created(app, "bob")
    app.call("DELETE", f"/api/resources/{gone['resource_id']}", user="bob")
    created(app, "bob", {"model": MINI})
    old = row(app, LARK)["pricing"]["prompt"]
    reprice(app, LARK, "0.00000019")
    notified = owners.notifications()
    whose = {(one["resource_id"], one["owner_id"]) for one in notified}
    assert whose == {(first["resource_id"], "user_alice"), (fallback["resource_id"], "user_bob")}
    assert len({one["id"] for one in notified}) == len(notified) == 2
    assert {(one["model"], one["change"]) for one in notified} == {(LARK, "repriced")}
    assert [(one["old"]["pricing"]["prompt"], one["new"]["pricing"]["prompt"]) for one in notified] == [
        (old, "0.00000019")
    ] * 2
    assert set(notified[0]) == {"id", "resource_id", "owner_id", "model", "change", "at", "old", "new", "successor"}
    assert owners.notifications() == []


def test_model_status_compares_with_the_price_when_saved(app: App, owners: OwnerNotifications) -> None:
    resource = created(app, "alice", visibility="public")
    assert (detail(app, resource)["model_status"], affected(app)["data"]) == ("ok", [])
    old = row(app, LARK)["pricing"]["prompt"]
    reprice(app, LARK, "0.00000019")
    shown = detail(app, resource)
    (model,) = shown["affected_models"]
    assert (shown["model_status"], model["status"], model["successor"]) == ("price_changed", "price_changed", None)
    assert (model["saved_price"]["pricing"]["prompt"], model["price"]["pricing"]["prompt"]) == (old, "0.00000019")
    path = f"/api/resources/{resource['resource_id']}"
    app.call("PATCH", path, {"name": "Renamed"})
    assert detail(app, resource)["model_status"] == "price_changed"
    assert "affected_models" not in detail(app, resource, "bob")
    app.call("PATCH", path, {"config": {"model": LARK}})
    assert (detail(app, resource)["model_status"], affected(app)["data"]) == ("ok", [])


def test_missing_and_removed_models_return_a_suggested_successor(app: App, owners: OwnerNotifications) -> None:
    resource = created(app, "alice", {"model": MINI})
    silent = created(app, "bob", {"model": MINI}, successor_policy="none")
    listed = app.fake.catalog
    app.fake.catalog = [each for each in listed if each["id"] != MINI]
    app.sync()
    assert [(one["change"], one["successor"]) for one in owners.notifications() if one["owner_id"] == "user_alice"] == [
        ("missing", FREE)
    ]
    assert (detail(app, resource)["model_status"], detail(app, resource)["successor"]) == ("missing", FREE)
    app.fake.catalog = listed
    app.sync()
    app.retire(MINI)
    notified = {one["change"]: one for one in owners.notifications() if one["owner_id"] == "user_alice"}
    assert set(notified) == {"returned", "expiration", "removed"}
    assert notified["removed"]["successor"] == FREE
    assert (detail(app, resource)["model_status"], detail(app, resource)["successor"]) == ("gone", FREE)
    assert detail(app, silent, "bob")["successor"] is None
    assert detail(app, silent, "bob")["affected_models"][0]["successor"] is None


def test_successor_policy_none_returns_no_successor(app: App, owners: OwnerNotifications) -> None:
    resource = created(app, "alice", {"model": MINI, "fallback_models": [LARK]}, successor_policy="none")
    assert resource["successor_policy"] == "none"
    app.retire(MINI)
    assert {(one["change"], one["successor"]) for one in owners.notifications()} == {
        ("expiration", None),
        ("removed", None),
    }
    path = f"/api/resources/{resource['resource_id']}"
    assert app.call("PATCH", path, {"successor_policy": None}).code == "invalid_field"
    assert app.call("PATCH", path, {"successor_policy": "suggest"}).json["successor_policy"] == "suggest"
    row(app, LARK)["canonical_slug"] = row(app, FREE)["canonical_slug"]
    app.sync()
    app.retire(LARK)
    assert {one["successor"] for one in owners.notifications() if one["model"] == LARK} == {FREE}, (
        "fallbacks have successors as well"
    )


def test_suggested_successor_supports_the_resource_settings(app: App, owners: OwnerNotifications) -> None:
    plain = created(app, "alice", {"model": MINI})
    warm = created(app, "alice", {"model": MINI, "temperature": 0.5})
    row(app, FREE)["supported_parameters"] = ["max_tokens"]
    app.retire(MINI)
    assert [detail(app, one)["successor"] for one in (plain, warm)] == [FREE, None]
    changed = {"config": {"model": FREE}}
    assert app.call("PATCH", f"/api/resources/{plain['resource_id']}", changed).status == 200


def test_expiration_and_alias_retarget_notify_owners(app: App, owners: OwnerNotifications) -> None:
    ending, latest = created(app, "alice"), created(app, "alice", {"model": LATEST})
    row(app, LARK)["expiration_date"] = "2026-12-01"
    row(app, LATEST)["alias_target"] = {"name": "Mini", "slug": MINI}
    app.sync()
    notified = {one["resource_id"]: one for one in owners.notifications()}
    assert notified[ending["resource_id"]]["change"] == "expiration"
    assert notified[ending["resource_id"]]["new"] == {"expiration_date": "2026-12-01"}
    changed = notified[latest["resource_id"]]
    assert (changed["change"], changed["old"], changed["new"]) == (
        "retargeted",
        {"alias_target": LARK},
        {"alias_target": MINI},
    )
    app.retire(LATEST)
    assert {one["successor"] for one in owners.notifications() if one["model"] == LATEST} == {MINI}


def test_affected_filter_lists_only_own_affected_resources(app: App, owners: OwnerNotifications) -> None:
    mine = [created(app, "alice", slug=f"n-{number}")["resource_id"] for number in range(3)]
    well = created(app, "alice", {"model": MINI})
    fallback = created(app, "alice", {"model": MINI, "fallback_models": [LARK]})["resource_id"]
    created(app, "bob")
    app.retire(LARK)
    found, query = [], {"limit": "1"}
    while True:
        page = affected(app, **query)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [one["resource_id"] for one in found] == [fallback, *reversed(mine)]
    assert well["resource_id"] not in {one["resource_id"] for one in found}
    assert found[0]["affected_models"] == [{"openrouter_id": LARK, "status": "gone"}]
    shown = detail(app, {"resource_id": fallback})
    assert (shown["model_status"], [one["status"] for one in shown["affected_models"]]) == ("ok", ["gone"])
    assert affected(app, q="nothing like it")["data"] == []
    refused = app.call("GET", "/api/resources", query={"affected": "true", "listing": "public"})
    assert (refused.status, refused.json["error"]["details"]["field"]) == (422, "affected")
    assert "affected_models" not in app.call("GET", "/api/resources").json["data"][0]


def test_next_sync_retries_failed_notifications(app: App, owners: OwnerNotifications) -> None:
    resource = created(app, "alice")
    down = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", *[down] * 4):
        reprice(app, LARK, "0.00000019")
    assert app.call("GET", f"/api/models/{LARK}", user=None).json["pricing"]["prompt"] == "0.00000019"
    assert owners.notifications() == []
    row(app, LARK)["description"] = "A later change of another kind."
    app.sync()
    assert [(one["resource_id"], one["change"]) for one in owners.notifications()] == [
        (resource["resource_id"], "repriced")
    ]
    app.sync()
    assert owners.notifications() == []


def test_sync_rereads_an_unchanged_catalog_until_notifications_succeed(app: App, owners: OwnerNotifications) -> None:
    created(app, "alice")
    down = answer({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with faults("PutEvents", *[down] * 4):
        reprice(app, LARK, "0.00000019")
    assert app.sync()["outcome"] == "synced"
    assert len(owners.notifications()) == 1
    assert app.sync()["outcome"] == "unchanged"


def test_retried_notifications_keep_the_same_event_ids(app: App, owners: OwnerNotifications) -> None:
    mine = {created(app, "alice", slug=f"n-{number}")["resource_id"] for number in range(12)}
    reprice(app, LARK, "0.00000019")
    (event,) = owners.changed.receive()
    with faults("PutEvents", None, failure("AccessDenied")), pytest.raises(NotificationFailed):
        app.invoke("ModelImpactFunction", event)
    before = owners.notifications()
    assert 0 < len(before) < 12
    assert app.invoke("ModelImpactFunction", event) == {"models": 1, "events": 12}
    after = owners.notifications()
    assert {one["resource_id"] for one in after} == mine
    assert {one["id"] for one in before} < {one["id"] for one in after}


def test_failed_notification_does_not_block_other_models(
    app: App, owners: OwnerNotifications, caplog: pytest.LogCaptureFixture
) -> None:
    created(app, "alice")
    other = created(app, "alice", {"model": MINI})
    row(app, LARK)["pricing"]["prompt"] = "0.00000019"
    reprice(app, MINI, "0.00000005")
    (event,) = owners.changed.receive()
    with faults("PutEvents", failure("AccessDenied")), pytest.raises(NotificationFailed, match="1 of 2 models"):
        app.invoke("ModelImpactFunction", event)
    (logged,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert (logged.message, "AccessDenied" in str(logged.exc_text)) == (
        f"owners of resources that use {LARK} were not notified",
        True,
    )
    assert [one["resource_id"] for one in owners.notifications()] == [other["resource_id"]]
    assert app.invoke("ModelImpactFunction", event) == {"models": 2, "events": 2}


def test_held_price_does_not_notify_owners(app: App, owners: OwnerNotifications) -> None:
    resource = created(app, "alice")
    before = row(app, LARK)["pricing"]["prompt"]
    for price in ("0.01", before):
        reprice(app, LARK, price)
        assert (owners.notifications(), detail(app, resource)["model_status"]) == ([], "ok")
    row(app, LARK)["pricing"]["prompt"] = "0.01"
    app.sync(accept_prices=True)
    (notified,) = owners.notifications()
    assert (notified["change"], notified["new"]["pricing"]["prompt"]) == ("repriced", "0.01")


def test_unrelated_change_kinds_do_not_notify_owners(app: App, owners: OwnerNotifications) -> None:
    created(app, "alice")
    row(app, LARK).update(expiration_date="2098-12-31", name="Lark II", context_length=99_000)
    row(app, LARK)["supported_parameters"].append("top_k")
    app.sync()
    assert owners.notifications() == []
