"""Cursors name their sort order, and text search ignores case."""

import pytest

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest
from instant.domain.resources.listing import MAX_SEARCH_BYTES, ResourceSort, named, searchable, within


def test_listing_cursor_survives_a_round_trip() -> None:
    for sort in ResourceSort:
        place = named(sort, Cursor("a b", "res_1"))
        assert within(sort, PageRequest(7, place)) == PageRequest(7, Cursor("a b", "res_1"))
    assert named(ResourceSort.NEWEST, None) is None
    assert within(ResourceSort.NEWEST, PageRequest(7)) == PageRequest(7)


@pytest.mark.parametrize("place", ["newest x", "x", "most_used", "most_used "])
def test_listing_rejects_a_cursor_of_another_order(place: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        within(ResourceSort.MOST_USED, PageRequest(7, Cursor(place, "res_1")))


def test_listing_search_ignores_case_and_width() -> None:
    assert searchable("Straße", None, "\uff21\uff22\uff23") == searchable("STRASSE", "abc")


@pytest.mark.parametrize("character", ["\ufdfa", "\u0390", "\U0001d160", "\u33ae", "\u0130"])
def test_listing_cuts_search_text_that_grows_by_bytes(character: str) -> None:
    text = searchable("name", character * 2_000)
    assert len(text.encode()) <= MAX_SEARCH_BYTES
    assert text.startswith("name\n")
    assert text[5:] in searchable(character) * 2_000


def test_listing_keeps_the_search_text_of_a_full_description() -> None:
    for letter in ("a", "\u00e4", "\u4e2d"):
        assert searchable(letter * 2_000) == letter * 2_000
