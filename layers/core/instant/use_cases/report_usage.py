"""What a caller used, day by day."""

from datetime import UTC, date

from instant.domain.identity import Identity
from instant.domain.usage_report import Grouping, UsageReport, report, span
from instant.ports import Clock
from instant.ports.books import UsageStore


def report_usage(
    caller: Identity, since: date | None, until: date | None, by: Grouping | None, usage: UsageStore, clock: Clock
) -> UsageReport:
    """The caller's own executions of these days, counted on the UTC day on which they were begun."""
    days = span(since, until, clock.now().astimezone(UTC).date())
    return report(usage.of_user(caller.user_id, days.first, days.last), days, by)
