"""Report a caller's usage per day."""

from datetime import UTC, date

from instant.domain.access.identity import Identity
from instant.domain.usage.report import Grouping, UsageReport, report, span
from instant.ports.clock import Clock
from instant.ports.usage.report import UsageStore


def report_usage(
    caller: Identity, since: date | None, until: date | None, by: Grouping | None, usage: UsageStore, clock: Clock
) -> UsageReport:
    """The caller's executions of these days, counted on the UTC day on which they started."""
    days = span(since, until, clock.now().astimezone(UTC).date())
    return report(usage.of_user(caller.user_id, days.first, days.last), days, by)
