"""Cursors name their sort order, and text search ignores case."""

import pytest

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest
from instant.domain.resources.listing import ResourceSort, named, searchable, within


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
