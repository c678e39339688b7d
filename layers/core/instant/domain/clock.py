"""How times are written: ISO 8601 in UTC, to the microsecond, so that text order is time order."""

from datetime import UTC, datetime

LEASE_SLACK = 30.0
"""Seconds by which a lease outlasts its holder, and must be over before anybody acts on it: clocks differ."""


def format_time(parse_time: datetime) -> str:
    """`parse_time` as `2026-11-22T20:17:24.000123Z`."""
    return parse_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """The time a stamp stands for."""
    return datetime.fromisoformat(text)
