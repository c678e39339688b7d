"""Catalog changes are returned newest first, filtered and paged, as JSON and as an RSS feed."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.app import Answer, App, set_clock
from tests.integration.synced_app import deployed_synced_app

FEED = "/api/models/changes"
RSS = "application/rss+xml"
ODD_NAME = 'Lark <script>&amp;"]]>\x00\x0b\ud7ff\ufffe'


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """An app after five syncs, an hour apart: models added, two repriced, one missing, then returned and renamed."""
    with deployed_synced_app() as app:
        clock = FakeClock(datetime.now(UTC))
        set_clock(app, clock)
        for change in (_reprice, _lose, _bring_back, _rename):
            clock.pass_seconds(3_600)
            app.fake.catalog = copy.deepcopy(app.fake.catalog)
            change(app)
            app.sync()
        yield app


def _row(app: App, openrouter_id: str) -> dict[str, Any]:
    return next(row for row in app.fake.catalog if row["id"] == openrouter_id)


def _reprice(app: App) -> None:
    for name in ("meadow/lark", "juniper/atlas-2.1"):
        _row(app, name)["pricing"]["prompt"] += "1"


def _lose(app: App) -> None:
    app.fake.catalog = [row for row in app.fake.catalog if row["id"] != "meadow/lark"]


def _bring_back(app: App) -> None:
    app.fake.begin_again()


def _rename(app: App) -> None:
    _row(app, "meadow/lark")["name"] = ODD_NAME


def _ask(app: App, path: str = FEED, **query: str) -> Answer:
    return app.call("GET", path, query=query, user=None)


def _listed(app: App, path: str = FEED, **query: str) -> list[tuple[str, str]]:
    """Return the model and kind of each change on one page."""
    answer = _ask(app, path, **{"limit": "200", **query})
    assert answer.status == 200, answer.text
    assert answer.json["next_cursor"] is None
    return [(change["openrouter_id"], change["kind"]) for change in answer.json["data"]]


def test_changes_list_returns_newest_first(shared: App) -> None:
    changes = _ask(shared, limit="200").json["data"]
    assert [change["at"] for change in changes] == sorted((change["at"] for change in changes), reverse=True)
    assert [(change["openrouter_id"], change["kind"]) for change in changes[:2]] == [
        ("meadow/lark", "description"), ("meadow/lark", "returned")]  # fmt: skip
    assert sum(change["kind"] == "added" for change in changes) == len(shared.fake.catalog)


def test_change_returns_old_and_new_values(shared: App) -> None:
    *_, change = _ask(shared, kind="repriced", model="meadow/lark").json["data"]
    assert change["old"]["pricing"]["prompt"] + "1" == change["new"]["pricing"]["prompt"]
    assert set(change) == {"openrouter_id", "at", "kind", "old", "new"}


def test_changes_filter_by_kind_author_model_and_time(shared: App) -> None:
    repriced = {"meadow/lark", "juniper/atlas-2.1"}
    assert {model for model, _ in _listed(shared, kind="missing")} == {"meadow/lark"}
    assert {kind for _, kind in _listed(shared, kind="repriced")} == {"repriced"}
    assert {model for model, _ in _listed(shared, kind="repriced")} >= repriced
    assert all(model.startswith("juniper/") for model, _ in _listed(shared, author="juniper"))
    assert ("juniper/atlas-2.1", "added") in _listed(shared, author="juniper")
    assert _listed(shared, author="jun") == _listed(shared, author="meadow", model="juniper/atlas-2.1") == []
    assert {model for model, _ in _listed(shared, model="meadow/lark")} == {"meadow/lark"}
    newest = _ask(shared, limit="1").json["data"][0]["at"]
    assert _listed(shared, since=newest) == [("meadow/lark", "description")]
    assert _listed(shared, since=newest, model="meadow/lark", kind="description") == [("meadow/lark", "description")]
    assert _listed(shared, since=newest, kind="added") == _listed(shared, since="2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize("query", [{}, {"kind": "added"}, {"author": "meadow"}, {"model": "meadow/lark"}])
@pytest.mark.parametrize("limit", ["1", "7"])
def test_pages_return_each_change_once(shared: App, query: dict[str, str], limit: str) -> None:
    seen, cursor = list[tuple[str, str]](), dict[str, str]()
    for _ in range(200):
        page = _ask(shared, limit=limit, **query, **cursor).json
        seen += [(change["openrouter_id"], change["kind"]) for change in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == _listed(shared, **query)


def test_model_history_returns_only_its_own_changes(shared: App) -> None:
    for path in ("meadow/lark", "meadow/%6Cark"):
        kinds = [kind for _, kind in _listed(shared, f"/api/models/{path}/history")]
        assert [kinds[0], kinds[-2], kinds[-1]] == ["description", "repriced", "added"]
        assert {"missing", "returned"} < set(kinds)
    missing = _ask(shared, "/api/models/nobody/none/history")
    assert (missing.status, missing.code) == (404, "not_found")


def _feed(app: App, **query: str) -> ET.Element:
    answer = app.call(
        "GET", FEED, query=query, user=None, headers={"Accept": "Application/RSS+XML, application/xml;q=0.9"}
    )
    assert (answer.status, answer.headers["Content-Type"], answer.headers["Vary"]) == (200, RSS, "Accept")
    return ET.fromstring(answer.text)


def test_rss_feed_returns_the_same_changes_as_json(shared: App) -> None:
    changes = _ask(shared, limit="20").json["data"]
    items = _feed(shared, limit="20").findall("./channel/item")
    assert len(items) == 20
    for change, item in zip(changes, items, strict=True):
        fields = {part.tag: part.text or "" for part in item}
        assert fields["title"] == f"{change['openrouter_id']}: {change['kind']}"
        assert fields["link"] == f"https://api.example/test/api/models/{change['openrouter_id']}/history"
        assert parsedate_to_datetime(fields["pubDate"]) == datetime.fromisoformat(change["at"]).replace(microsecond=0)
    assert len({item.findtext("guid") for item in items}) == 20
    assert ET.tostring(_feed(shared, limit="20")) == ET.tostring(
        ET.fromstring(_ask(shared, limit="20", format="rss").text)
    )


def test_rss_feed_escapes_model_names(shared: App) -> None:
    newest = _feed(shared, limit="1").findtext("./channel/item/description") or ""
    assert newest == "display_name: Meadow: Lark → Lark &lt;script&gt;&amp;amp;&quot;]]&gt;\ufffd\ufffd\ud7ff\ufffd"
    assert "<script>" not in _ask(shared, limit="1", format="rss").text


def test_changes_return_json_unless_rss_is_requested(shared: App) -> None:
    never = {"Accept": f"application/json, {RSS};q=0"}
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "text/html"}, {"Accept": "application/json"}, never):
        answer = shared.call("GET", FEED, user=None, headers=headers)
        assert answer.headers["Content-Type"] == "application/json"
    answer = shared.call("GET", FEED, user=None, query={"format": "json"}, headers={"Accept": RSS})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("field", "value"),
    [("since", "yesterday"), ("since", "1700000000"), ("since", "2026-11-22"), ("kind", "odd"), ("limit", "0"),
     ("limit", "201"), ("format", "atom"), ("author", ""), ("model", ""), ("cursor", "x"), ("at", "now")],
)  # fmt: skip
def test_changes_query_rejects_invalid_parameters(shared: App, field: str, value: str) -> None:
    answer = _ask(shared, **{field: value})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_cursor_is_rejected_for_a_different_list(shared: App) -> None:
    cursor = _ask(shared, limit="1", model="meadow/lark").json["next_cursor"]
    oldest = _ask(shared, limit="200").json["data"][-1]["at"]
    for query in ({"model": "meadow/lark-mini"}, {"since": "2999-01-01T00:00:00Z"}):
        answer = _ask(shared, cursor=cursor, **query)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "cursor")
    assert _ask(shared, cursor=cursor, since=oldest).status == 200
    foreign = shared.call("GET", "/api/models", query={"limit": "1"}, user=None).json["next_cursor"]
    assert _ask(shared, cursor=foreign).status == 422
