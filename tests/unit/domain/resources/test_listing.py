"""Cursors name their order, and texts are searched without regard to case."""

import pytest

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor, PageRequest
from instant.domain.resources.listing import ResourceSort, named, searchable, within


def test_a_place_goes_round() -> None:
    for sort in ResourceSort:
        place = named(sort, Cursor("a b", "res_1"))
        assert within(sort, PageRequest(7, place)) == PageRequest(7, Cursor("a b", "res_1"))
    assert named(ResourceSort.NEWEST, None) is None
    assert within(ResourceSort.NEWEST, PageRequest(7)) == PageRequest(7)


@pytest.mark.parametrize("place", ["newest x", "x", "most_used", "most_used "])
def test_a_place_in_another_order_is_refused(place: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        within(ResourceSort.MOST_USED, PageRequest(7, Cursor(place, "res_1")))


def test_case_and_width_do_not_matter() -> None:
    assert searchable("Straße", None, "\uff21\uff22\uff23") == searchable("STRASSE", "abc")
