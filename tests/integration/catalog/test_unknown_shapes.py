"""A sync leaves out fields of an unknown shape and skips rows that cannot be used, and syncs everything else."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.app import App

type Row = dict[str, Any]

STRANGE: dict[str, Callable[[Row], Any]] = {
    "pricing.currency": lambda row: row["pricing"].update(currency="USD"),
    "pricing.unit": lambda row: row["pricing"].update(unit={"prompt": "token"}),
    "pricing.tiers": lambda row: row["pricing"].update(tiers=[{"up_to": 1000, "prompt": "0.1"}]),
    "pricing.image": lambda row: row["pricing"].update(image=["0.1"]),
    "architecture.input_modalities": lambda row: row["architecture"].update(input_modalities="text"),
    "context_length": lambda row: row.update(context_length="131072"),
    "top_provider.max_completion_tokens": lambda row: row["top_provider"].update(max_completion_tokens=[]),
    "top_provider": lambda row: row.update(top_provider="Meadow"),
    "supported_parameters": lambda row: row.update(supported_parameters={"tools": True}),
}
"""By field: a change to an unknown shape."""


@pytest.mark.parametrize("field", STRANGE)
def test_sync_leaves_out_a_field_of_an_unknown_shape(app: App, field: str) -> None:
    app.sync()
    before = {name: model(app, name) for name in ("meadow/lark", "meadow/lark-mini")}
    rows = copy.deepcopy(app.fake.catalog)
    for row in rows:
        STRANGE[field](row)
    next(row for row in rows if row["id"] == "meadow/lark")["description"] = "New."
    app.fake.serve_catalog(json.dumps({"data": rows}).encode())
    result = app.sync()
    assert result["outcome"] == "synced"
    assert result["missing"] == 0
    lark = model(app, "meadow/lark")
    assert lark["description"] == "New."
    known = {name for name in lark if name not in {"description", "last_synced_at"}}
    if field != "pricing.image":
        assert {name: lark[name] for name in known} == {name: before["meadow/lark"][name] for name in known}
    else:
        assert (lark["usable"], lark["pricing"]["image"]) == (False, '["0.1"]')
    (run, _) = app.call("GET", "/api/admin/sync-models", user="root", scopes="admin").json["data"]
    assert run["left_out"] == {field: len(rows)}


def model(app: App, name: str) -> Row:
    """Return a model of the catalog."""
    return dict(app.call("GET", f"/api/models/{name}", user=None).json)


def test_sync_skips_rows_that_cannot_be_used_singly(app: App) -> None:
    app.sync()
    rows = copy.deepcopy(app.fake.catalog)
    for row in rows[:10]:
        row["pricing"]["currency"] = "EUR"
    deep = json.dumps(rows).replace('"description": ', f'"deep": {"[" * 400}{"]" * 400}, "description": ', 1)
    app.fake.serve_catalog(f'{{"data": {deep}}}'.encode())
    result = app.sync()
    assert (result["seen"], result["missing"], result["removed"]) == (len(rows) - 10, 0, 0)
    (run, _) = app.call("GET", "/api/admin/sync-models", user="root", scopes="admin").json["data"]
    assert run["skipped"].keys() == {row["id"] for row in rows[:10]}
    assert set(run["skipped"].values()) == {"the currency is not USD", "a value is nested too deep or no number"}
