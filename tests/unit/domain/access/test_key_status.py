"""The status of a stored key: what a refusal and a check change, and when the key is checked again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from instant.domain.access.integration import Integration, KeyFacts, KeyStatus
from instant.domain.clock import format_time, parse_time
from tests.fakes.builders import an_integration

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def wait(integration: Integration, now: datetime = NOON) -> float:
    """The seconds until the next check."""
    assert integration.next_check_at is not None
    return (parse_time(integration.next_check_at) - now).total_seconds()


def test_rejected_key_is_broken_until_a_check_passes() -> None:
    broken = an_integration("user_alice", limit_remaining="5").rejected(NOON)
    assert (broken.status, broken.is_usable, broken.limit_remaining) == (KeyStatus.BROKEN, False, None)
    fine = broken.confirmed(KeyFacts(limit_remaining="4"), NOON)
    assert (fine.status, fine.is_usable, fine.limit_remaining, fine.next_check_at) == (KeyStatus.OK, True, "4", None)


def test_delay_of_the_check_doubles_up_to_an_hour() -> None:
    integration, waits = an_integration("user_alice"), []
    for _ in range(10):
        integration = integration.rejected(NOON)
        waits.append(wait(integration))
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_delay_begins_again_a_day_after_the_last_refusal() -> None:
    integration = an_integration("user_alice").rejected(NOON).rejected(NOON)
    assert wait(integration.rejected(NOON + timedelta(hours=23)), NOON + timedelta(hours=23)) == 120
    assert wait(integration.rejected(NOON + timedelta(hours=24)), NOON + timedelta(hours=24)) == 30


def test_first_check_after_a_want_of_credits_can_follow_at_once() -> None:
    integration, waits = an_integration("user_alice"), []
    for _ in range(3):
        integration = integration.out_of_credits(NOON)
        waits.append(wait(integration))
    assert waits == [0, 30, 60]
    assert (integration.status, integration.is_usable, integration.lacks_credits) == (KeyStatus.OK, True, True)


@pytest.mark.parametrize(
    ("remaining", "lacks"), [(None, False), ("0.01", False), ("0", True), ("0.00", True), ("-1", True)]
)
def test_check_restores_credits_unless_the_limit_is_used_up(remaining: str | None, lacks: bool) -> None:
    checked = an_integration("user_alice").out_of_credits(NOON).confirmed(KeyFacts(limit_remaining=remaining), NOON)
    assert checked.lacks_credits is lacks


@pytest.mark.parametrize(("seconds", "due"), [(-1, True), (0, True), (1, False), (None, True)])
def test_check_is_due_at_its_time(seconds: int | None, due: bool) -> None:
    at = None if seconds is None else format_time(NOON + timedelta(seconds=seconds))
    assert replace(an_integration("user_alice"), next_check_at=at).is_due(NOON) is due


def test_claimed_check_is_not_due_for_other_calls() -> None:
    broken = an_integration("user_alice").rejected(NOON)
    later = NOON + timedelta(seconds=30)
    assert broken.is_due(later)
    assert not broken.claimed(later).is_due(later)


def test_checks_of_a_key_without_credits_wait_longer_each_time() -> None:
    integration, waits, now = an_integration("user_alice").out_of_credits(NOON), [], NOON
    for _ in range(4):
        integration = integration.claimed(now).confirmed(KeyFacts(limit_remaining="0"), now)
        waits.append(wait(integration, now))
        now += timedelta(seconds=waits[-1])
    assert waits == [30, 60, 120, 240]
    assert integration.confirmed(KeyFacts(limit_remaining="1"), now).next_check_at is None
