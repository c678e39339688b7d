"""The model list reads its table only after a sync, and an admin can request a sync."""

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from instant.adapters.aws import client as aws
from tests.architecture.stack.failures import counts
from tests.integration.app import Answer, App
from tests.integration.aws_calls import operations, recorded

SYNC = "/api/admin/sync-models"


def _list(app: App) -> Any:
    return app.call("GET", "/api/models", query={"limit": "1"}, user=None).json


def _reads(app: App) -> list[str]:
    with recorded("dynamodb") as calls:
        _list(app)
    return operations(calls)


def test_catalog_before_the_first_sync_is_empty(app: App) -> None:
    assert _list(app) == {"data": [], "next_cursor": None, "total": 0}
    assert app.call("GET", "/api/models/meadow/lark", user=None).status == 404


def test_list_reads_the_table_only_after_a_sync(app: App) -> None:
    assert _reads(app) == ["GetItem"]
    app.sync()
    assert _reads(app) == ["GetItem", "Scan"]
    assert _reads(app) == ["GetItem"]
    first = _list(app)["data"][0]["last_synced_at"]

    assert app.sync()["outcome"] == "unchanged"
    assert _reads(app) == ["GetItem"], "the catalog is unchanged and the last sync succeeded"
    assert _list(app)["data"][0]["last_synced_at"] > first

    app.fake.catalog, whole = app.fake.catalog[:9], app.fake.catalog
    with pytest.raises(Exception, match="would be lost"):
        app.sync()
    app.fake.catalog = whole
    assert app.sync()["outcome"] == "synced"
    assert _reads(app) == ["GetItem", "Scan"], "the preceding sync failed"

    app.fake.catalog = app.fake.catalog[1:]
    app.sync()
    assert _reads(app) == ["GetItem", "Scan"]
    assert (_list(app)["total"], _reads(app)) == (len(app.fake.catalog) + 1, ["GetItem"])


def test_successful_syncs_are_counted_for_the_age_of_the_catalog(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert [app.sync()["outcome"], app.sync()["outcome"]] == ["synced", "unchanged"]
    app.fake.serve_catalog(b"<html>")
    with pytest.raises(Exception, match="not a catalog"):
        app.sync()
    assert [counts({"message": text}, "SyncCount") for text in caplog.messages].count(True) == 2


def test_sync_changes_the_answer_and_its_etag(app: App) -> None:
    app.sync()
    before = app.call("GET", "/api/models", user=None)
    row = next(row for row in app.fake.catalog if row["id"] == "meadow/lark")
    row["description"] = "It sings."
    app.sync()
    assert app.call("GET", "/api/models", user=None, headers={"If-None-Match": before.headers["ETag"]}).status == 200
    assert app.call("GET", "/api/models/meadow/lark", user=None).json["description"] == "It sings."


def test_paging_during_syncs_returns_each_remaining_model_once(app: App) -> None:
    app.sync()
    walked, query = list[str](), {"limit": "20", "sort": "price"}
    everything = {row["id"] for row in app.fake.catalog}
    gone = {"meadow/lark", "meadow/lark-mini:free"}
    while True:
        page = app.call("GET", "/api/models", user=None, query=query).json
        walked += [model["openrouter_id"] for model in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        _change(app, gone, last=walked[-1])
    stay = everything - gone
    assert [walked.count(name) for name in sorted(stay)] == [1] * len(stay)
    assert len(walked) == len(set(walked))


def _change(app: App, gone: set[str], last: str) -> None:
    """Remove and add models, and rename the last model of the page; sync."""
    rows: list[Any] = [row for row in app.fake.catalog if row["id"] not in gone]
    new = {**rows[0], "id": f"newcomer/one-{len(rows)}", "pricing": {"prompt": "0", "completion": "0"}}
    next(row for row in rows if row["id"] == last)["name"] += " (renamed)"
    app.fake.catalog = [*rows, new]
    app.sync()


def _ask(app: App, body: Any = None, **more: Any) -> tuple[Answer, list[dict[str, Any]]]:
    """Request a sync; return the response and the events that were sent."""
    with recorded("events") as calls:
        answer = app.call("POST", SYNC, body, **more)
    return answer, [entry for call in calls for entry in call.parameters["Entries"]]


def test_sync_request_requires_the_admin_scope(app: App) -> None:
    for scopes in ("manage", "execute", "execute manage", ""):
        answer, entries = _ask(app, {"accept_losses": True}, scopes=scopes)
        assert (answer.status, answer.code, entries) == (403, "forbidden", [])
        assert "'admin'" in answer.json["error"]["message"]


@pytest.mark.parametrize(("body", "accepts"), [(None, False), ({"accept_losses": True}, True)])
def test_sync_request_sends_one_event_with_its_options(app: App, body: Any, accepts: bool) -> None:
    app.sync()
    app.fake.catalog = app.fake.catalog[:40]
    answer, entries = _ask(app, body, scopes="admin")
    assert (answer.status, answer.json) == (202, {"accepted": True, "accept_losses": accepts, "accept_prices": False})
    (entry,) = entries
    assert (entry["Source"], entry["DetailType"]) == ("instant.resources", "openrouter/models.sync")
    assert entry["EventBusName"] == app.name("EVENT_BUS")
    event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
    if accepts:
        result = app.invoke("CatalogSyncFunction", event)
        assert result["missing"] + result["removed"] == 27
    else:
        with pytest.raises(Exception, match="would be lost"):
            app.invoke("CatalogSyncFunction", event)


def test_sync_request_does_not_accept_losses_by_default(app: App) -> None:
    for body in ({}, {"accept_losses": False}):
        answer, (entry,) = _ask(app, body)
        assert (answer.json["accept_losses"], json.loads(entry["Detail"])) == (
            False,
            {"accept_losses": False, "accept_prices": False},
        )


def test_sync_request_rejects_unknown_and_invalid_fields(app: App) -> None:
    for body, field in (({"force": True}, "force"), ({"accept_losses": [True]}, "accept_losses")):
        answer, entries = _ask(app, body)
        assert (answer.status, answer.json["error"]["details"]["field"], entries) == (422, field, [])


def test_sync_request_returns_503_when_the_event_bus_fails(app: App) -> None:
    failed = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]}

    def refuse(**_: Any) -> Any:
        return AWSResponse("", 200, {}, None), failed

    aws.client("events").meta.events.register("before-call.eventbridge.PutEvents", refuse)
    answer = app.call("POST", SYNC)
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (503, "upstream_unavailable", True)
    assert answer.headers["Retry-After"] == "1"
