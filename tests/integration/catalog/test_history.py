"""Two saved real catalogs, half a year apart, sync with the expected counts if the files are available."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.app import ROOT, App

SAVED = ROOT.parent / "shared" / "data" / "openrouter"
JANUARY, JUNE = SAVED / "models-2026-01-26.json", SAVED / "models-2026-06-08.json"

pytestmark = pytest.mark.skipif(not (JANUARY.exists() and JUNE.exists()), reason="the saved catalogs are not available")


def _rows(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["data"])


def _total(app: App, **query: str) -> int:
    return int(app.call("GET", "/api/models", query={"limit": "1", **query}, user=None).json["total"])


def _all(app: App) -> list[dict[str, Any]]:
    """Return every active model."""
    models, query = list[dict[str, Any]](), {"limit": "200"}
    while True:
        page = app.call("GET", "/api/models", query=query, user=None).json
        models += page["data"]
        if page["next_cursor"] is None:
            return models
        query["cursor"] = page["next_cursor"]


def _counts(app: App) -> dict[str, int]:
    models = _all(app)
    caps = [(model["max_tokens"], model["context_length"]) for model in models]
    ids = [str(model["openrouter_id"]) for model in models]
    return {
        "models": _total(app),
        "vision": _total(app, input_modality="image"),
        "image out": _total(app, output_modality="image"),
        "tools": _total(app, supported_parameter="tools"),
        "no temperature": _total(app) - _total(app, supported_parameter="temperature"),
        "no cap": sum(cap is None for cap, _ in caps),
        "cap = context": sum(cap == context for cap, context in caps if cap is not None),
        "cap > context": sum(cap > context for cap, context in caps if cap is not None),
        "expiring": sum(model["expiration_date"] is not None for model in models),
        ":free": sum(each.endswith(":free") for each in ids),
        ":batch": sum(each.endswith(":batch") for each in ids),
        "~": sum(each.startswith("~") for each in ids),
    }


IN_JANUARY = dict(zip(
    ("models", "vision", "image out", "tools", "no temperature", "no cap", "cap = context", "cap > context",
     "expiring", ":free", ":batch", "~"),
    (345, 122, 4, 227, 30, 116, 52, 4, 9, 32, 0, 0),
    strict=True,
))  # fmt: skip
IN_JUNE = dict(zip(IN_JANUARY, (341, 162, 7, 254, 47, 60, 34, 4, 7, 23, 0, 8), strict=True))


def test_real_catalogs_sync_with_the_expected_counts(app: App, later: FakeClock) -> None:
    app.fake.serve_catalog(JANUARY.read_bytes())
    assert _sync_counts(app) == {"seen": 345, "written": 345, "added": 345}
    assert _counts(app) == IN_JANUARY
    assert app.sync()["written"] == 0

    rows = _rows(JANUARY)
    rows[100]["pricing"]["prompt"] += "1"
    app.fake.serve_catalog(json.dumps({"data": rows}).encode())
    later.pass_seconds(3_600)
    assert _sync_counts(app) == {"seen": 345, "written": 1, "repriced": 1}
    changed = app.call("GET", f"/api/models/{rows[100]['id']}", user=None).json
    assert changed["pricing"]["prompt"] == rows[100]["pricing"]["prompt"]

    before, after = ({row["id"] for row in _rows(path)} for path in (JANUARY, JUNE))
    app.fake.serve_catalog(JUNE.read_bytes())
    later.pass_seconds(3_600)
    with pytest.raises(Exception, match=f"{len(before - after)} of 345 active models would be lost"):
        app.sync()
    assert _total(app) == 345
    result = app.sync(accept_losses=True, accept_prices=True)
    assert (result["seen"], result["added"]) == (341, len(after - before))
    assert result["missing"] + result["removed"] == len(before - after)
    later.pass_seconds(7 * 86_400)
    assert app.sync()["removed"] == result["missing"]
    assert _counts(app) == IN_JUNE
    assert _total(app, active="false") == len(before - after)
    assert app.sync()["written"] == 0


def _sync_counts(app: App) -> dict[str, int]:
    """Sync, and return the counts that are not zero."""
    return {name: number for name, number in app.sync().items() if name != "outcome" and number}
