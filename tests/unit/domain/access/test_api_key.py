"""API keys have a checksum that detects typos without a lookup; only a hash is stored."""

import string
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.api_key import ApiKey, hash_of, is_well_formed, mint
from instant.domain.access.identity import Scope
from instant.domain.clock import format_time

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALPHABET = string.digits + string.ascii_letters


def new_key() -> tuple[str, ApiKey]:
    """Return a new key as text and its record."""
    secret, record = mint(user_id="user_alice", name="laptop", scopes=frozenset({Scope.EXECUTE}), now=NOW)
    return secret.reveal(), record


def test_api_key_new_key_is_well_formed() -> None:
    for _ in range(50):
        text, record = new_key()
        assert text.startswith("x4k_live_")
        assert len(text) == 9 + 32 + 6
        assert record.key_id.startswith("key_")
        assert is_well_formed(text)


def test_api_key_generation_never_repeats_a_key() -> None:
    assert len({new_key()[0] for _ in range(100)}) == 100


def test_api_key_rejects_every_single_character_substitution() -> None:
    text, _ = new_key()
    wrong = [
        text[:place] + other + text[place + 1 :]
        for place in range(len(text))
        for other in ALPHABET + "-_ é"
        if other != text[place]
    ]
    assert len(wrong) > len(text) * 60
    assert [typo for typo in wrong if is_well_formed(typo)] == []


def test_api_key_rejects_every_transposition_of_two_characters() -> None:
    for _ in range(10):
        text, _ = new_key()
        for one in range(len(text)):
            for other in range(one + 1, len(text)):
                letters = list(text)
                letters[one], letters[other] = letters[other], letters[one]
                typo = "".join(letters)
                assert typo == text or not is_well_formed(typo), typo


def test_api_key_rejects_missing_and_doubled_characters() -> None:
    text, _ = new_key()
    for place in range(len(text)):
        assert not is_well_formed(text[:place] + text[place + 1 :])
        assert not is_well_formed(text[:place] + text[place] + text[place:])


@given(st.text())
def test_api_key_check_accepts_any_text_without_raising(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed("x4k_live_" + text)


@pytest.mark.parametrize("tail", ["\n", " ", "\0"])
def test_api_key_rejects_trailing_characters(tail: str) -> None:
    assert not is_well_formed(new_key()[0] + tail)


def test_api_key_record_keeps_only_hash_and_last_four_characters() -> None:
    text, record = new_key()
    assert record.key_hash == hash_of(text)
    assert record.last4 == text[-4:]
    kept = " ".join(str(getattr(record, field.name)) for field in fields(record))
    assert text not in kept
    assert text[9:-4] not in kept


def test_api_key_is_valid_until_it_expires() -> None:
    _, record = new_key()
    expiring = replace(record, expires_at=format_time(NOW + timedelta(hours=1)))
    assert record.is_valid(NOW + timedelta(days=10_000))
    assert expiring.is_valid(NOW + timedelta(minutes=59, seconds=59, microseconds=999_999))
    assert not expiring.is_valid(NOW + timedelta(hours=1))


def test_api_key_is_invalid_once_revoked() -> None:
    _, record = new_key()
    revoked = replace(record, revoked_at=format_time(NOW + timedelta(days=1)))
    assert not revoked.is_valid(NOW)
    assert not replace(revoked, expires_at=format_time(NOW + timedelta(days=9))).is_valid(NOW)


def test_api_key_records_use_once_per_clock_hour() -> None:
    _, key = new_key()
    hours = [NOW.replace(hour=hour, minute=0) for hour in (11, 12, 13)]
    assert key.unnoted_use(hours[1] + timedelta(minutes=59)) == format_time(hours[1])
    used = replace(key, last_used_at=format_time(hours[1]))
    assert [used.unnoted_use(hour) for hour in hours] == [None, None, format_time(hours[2])]
