"""Extreme values in the query of every public route: a response or a clear error, never an internal one."""

import json
from typing import Any

import pytest

from instant.entrypoints.openapi import PLACE
from tests.integration.app import App

DOCUMENT: Any = json.loads(PLACE.read_text())
EXTREMES = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00", "1969-12-31T23:59:59Z"),
    *("0001-01-01", "9999-12-31", "3000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z"),
    *(
        "0",
        "-1",
        "36500",
        "36501",
        "1" + "0" * 30,
        "9" * 5_000,
        "1e999999",
        "-1e999999",
        "1e-999999",
        "NaN",
        "Infinity",
    ),
    *("\u0000", "\N{GRINNING FACE}", "%", "x" * 500, "null", "true", "[]"),
)
PUBLIC = {
    path: [parameter["name"] for parameter in methods["get"].get("parameters", []) if parameter["in"] == "query"]
    for path, methods in DOCUMENT["paths"].items()
    if "get" in methods and not methods["get"]["security"]
}


@pytest.mark.parametrize("path", PUBLIC)
def test_public_route_answers_extreme_values_without_internal_errors(seeded: App, path: str) -> None:
    target = path.replace("{author}", "meadow").replace("{slug}", "lark")
    found = {
        (name, value[:40]): status
        for name in PUBLIC[path]
        for value in EXTREMES
        if (status := seeded.call("GET", target, query={name: value}, user=None).status) >= 500
    }
    assert found == {}


@pytest.mark.parametrize("days", ["min_age_days", "max_age_days", "expiring_within_days"])
@pytest.mark.parametrize("at", ["1970-01-01T00:00:00+14:00", "2999-12-31T23:59:59-12:00", "1970-01-02T00:00:00Z"])
def test_longest_duration_works_at_each_end_of_the_calendar(seeded: App, days: str, at: str) -> None:
    answer = seeded.call("GET", "/api/models", query={"at": at, days: "36500"}, user=None)
    assert answer.status in {200, 422}, answer.text


def test_time_outside_of_the_calendar_is_rejected_by_name(seeded: App) -> None:
    for value in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        answer = seeded.call("GET", "/api/models", query={"at": value}, user=None)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "at")
        assert "1970 to 2999" in answer.json["error"]["message"]
