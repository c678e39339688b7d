"""Times as text: ISO 8601 in UTC with microseconds, so that lexical order is time order."""

from datetime import UTC, datetime, timedelta

LEASE_SLACK = 30.0
"""Allowance for clock skew in seconds: a lease outlasts its holder by this, and is taken over only this much later."""


def format_time(parse_time: datetime) -> str:
    """`parse_time` as `2026-11-22T20:17:24.000123Z`."""
    return parse_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Parse a time that `format_time` wrote."""
    return datetime.fromisoformat(text)


def expiry_after(start: str, days: int) -> int:
    """The Unix time some days after a time in the form of `format_time`: DynamoDB deletes a row after such a time."""
    return int((parse_time(start) + timedelta(days=days)).timestamp())
