"""Content negotiation: weights, case, wildcards and several headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.entrypoints.http.accept import preferred_type

JSON, CSV, RSS, IMAGE = "application/json", "text/csv", "application/rss+xml", "image/*"


@pytest.mark.parametrize(
    ("accept", "offered", "chosen"),
    [
        ("", (JSON, CSV), JSON),
        ("*/*", (JSON, CSV), JSON),
        ("text/csv", (JSON, CSV), CSV),
        ("Text/CSV", (JSON, CSV), CSV),
        ("text/csv;charset=utf-8", (JSON, CSV), CSV),
        ("text/csv, */*", (JSON, CSV), CSV),
        ("text/csv, */*;q=0.1", (JSON, CSV), CSV),
        ("text/*", (JSON, CSV), CSV),
        ("application/json, text/csv;q=0", (JSON, CSV), JSON),
        ("text/csv;q=0", (JSON, CSV), JSON),
        ("text/csv;q=0.0, */*", (JSON, CSV), JSON),
        ("text/csv;Q=0, text/*", (JSON, CSV), JSON),
        ("application/json;q=0.5, text/csv;q=0.6", (JSON, CSV), CSV),
        ("application/json;q=0.9, text/csv;q=0.8", (JSON, CSV), JSON),
        ("application/json, text/csv", (JSON, CSV), JSON),
        ("text/csv, application/json", (JSON, CSV), CSV),
        ("text/csv;q=abc", (JSON, CSV), CSV),
        ("text/csv-schema", (JSON, CSV), JSON),
        ("text/html", (JSON, CSV), JSON),
        ("application/json;q=0", (JSON, CSV), JSON),
        ("application/json;q=0, */*", (JSON, CSV), CSV),
        ("Application/RSS+XML", (JSON, RSS), RSS),
        ("application/rss+xml, application/atom+xml;q=0.8, */*;q=0.1", (JSON, RSS), RSS),
        ("application/json, application/rss+xml;q=0", (JSON, RSS), JSON),
        ("application/json", (IMAGE, JSON), JSON),
        ("application/json, text/plain, */*", (IMAGE, JSON), JSON),
        ("application/json;q=0", (IMAGE, JSON), IMAGE),
        ("image/avif,image/webp,*/*", (IMAGE, JSON), IMAGE),
        ("image/png, application/json;q=0.5", (IMAGE, JSON), IMAGE),
        ("*/*", (IMAGE, JSON), IMAGE),
    ],
)
def test_accept_chooses_the_preferred_type(accept: str, offered: tuple[str, ...], chosen: str) -> None:
    assert preferred_type(accept, offered) == chosen


@given(st.text(alphabet="aj/*;q=01., tex"))
def test_accept_always_chooses_an_offered_type(accept: str) -> None:
    assert preferred_type(accept, (JSON, CSV)) in (JSON, CSV)
