"""The RSS feed: readers display titles and descriptions as HTML, and show the text as it was written."""

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.change import ChangeKind, ModelChange
from instant.entrypoints.catalog.rss import feed

AT = "2026-11-22T12:00:00.000000Z"


def item_of(model_id: str = "a/b", old: dict[str, Any] | None = None, **new: Any) -> dict[str, str]:
    """Return the elements of the item of one change."""
    change = ModelChange(openrouter_id=model_id, at=AT, kind=ChangeKind.DESCRIPTION, old=old or {}, new=new)
    item = ET.fromstring(feed([change], "https://api.example")).find("./channel/item")
    assert item is not None
    return {part.tag: part.text or "" for part in item}


def displayed(html: str) -> list[str]:
    """Return the lines that a reader displays: white space is folded, and only tags break lines."""
    lines = re.sub(r"\s+", " ", html).split("<br>")
    assert not re.search(r"<(?!br>)", html)
    return [unescape(line).strip() for line in lines]


def test_feed_displays_text_as_it_was_written() -> None:
    text = 'Wants <instruction>{x}</instruction> & "<think>" tokens. <img src="https://tracker.example/p.gif">'
    assert displayed(item_of(description=text)["description"]) == [f"description: {text}"]


def test_feed_displays_each_fact_and_each_line_on_its_own() -> None:
    description = item_of(
        old={"description": "one\ntwo"}, description="one\r\nthree", pricing={"prompt": "<1"}, context_length=8
    )["description"]
    assert displayed(description) == [
        "description: one",
        "two → one",
        "three",
        'pricing: {"prompt": "<1"}',
        "context_length: 8",
    ]


@pytest.mark.parametrize(("model_id", "path"), [("~a/b:free", "~a/b:free"), ("a/<b> c?", "a/%3Cb%3E%20c%3F")])
def test_feed_escapes_model_ids_in_titles_and_links(model_id: str, path: str) -> None:
    item = item_of(model_id)
    assert displayed(item["title"]) == [f"{model_id}: description"]
    assert item["link"] == f"https://api.example/api/models/{path}/history"


@given(st.text(alphabet="<>&\"'a;#/ =]"))
def test_feed_never_contains_tags_of_others(text: str) -> None:
    assert not re.search(r"<(?!br>)", item_of(description=text)["description"])
