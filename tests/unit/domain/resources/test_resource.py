"""Slugs, addresses, and the visibility of a resource."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.identity import handle_of
from instant.domain.resources.resource import Visibility
from instant.domain.resources.slug import slug_of
from tests.fakes.builders import NOON, a_resource


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Haiku", "haiku"),
        ("  Rate my PR!  ", "rate-my-pr"),
        ("a--b__c", "a-b-c"),
        ("Don't Panic", "dont-panic"),
        ("Crème brûlée", "creme-brulee"),
        ("Cre\u0300me bru\u0302le\u0301e", "creme-brulee"),
        ("Größe übersetzen", "grosse-ubersetzen"),
        ("ÆØÅ Łódź Þór İstanbul", "aeoa-lodz-thor-istanbul"),
        ("Tiếng Việt", "tieng-viet"),
        ("\uff26\uff55ll ① \ufb01le", "full-1-file"),
        ("Привет, мир! Йод, щука", "privet-mir-yod-shchuka"),
        ("П'ять їжаків", "pyat-yizhakiv"),
        ("Καλημέρα κόσμε", "kalimera-kosme"),
        ("საქართველო", "sakartvelo"),
        ("Հայաստան", "hayastan"),
        ("שלום עולם", "shlvm-vlm"),
        ("مرحبا بالعالم", "mrhba-balalm"),
        ("한국어 번역", "hangugeo-beonyeog"),
        ("ひらがな カタカナ", "hiragana-katakana"),
        ("हिन्दी", "hindii"),
        ("GPT 翻译 2", "gpt-2"),
        ("俳句", "resource"),
        ("", "resource"),
        ("!!!", "resource"),
        ("x" * 60, "x" * 48),
        ("a" * 47 + " b", "a" * 47),
    ],
)
def test_resource_slug_is_derived_from_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@given(st.text(max_size=200))
def test_resource_slug_always_has_the_form_required_by_addresses(name: str) -> None:
    slug = slug_of(name)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 48
    assert slug_of(slug) == slug


def test_resource_address_is_the_owner_handle_and_the_slug() -> None:
    assert a_resource().address == f"{handle_of('user_alice')}/haiku"


@pytest.mark.parametrize(
    ("visibility", "by_id", "by_address"),
    [(Visibility.PRIVATE, False, False), (Visibility.UNLISTED, True, False), (Visibility.PUBLIC, True, True)],
)
def test_resource_visibility_to_strangers_depends_on_how_it_is_named(
    visibility: Visibility, by_id: bool, by_address: bool
) -> None:
    resource = a_resource(visibility=visibility)
    assert resource.visible_to("user_alice")
    assert resource.visible_to("user_alice", by_address=True)
    assert resource.visible_to("user_bob") is by_id
    assert resource.visible_to("user_bob", by_address=True) is by_address


@pytest.mark.parametrize("visibility", Visibility)
def test_resource_visibility_hides_deleted_resources_from_everyone(visibility: Visibility) -> None:
    resource = a_resource(visibility=visibility, deleted_at=NOON)
    assert not resource.visible_to("user_alice")
    assert not resource.visible_to("user_bob")
