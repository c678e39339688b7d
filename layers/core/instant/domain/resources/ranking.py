"""Ranking of resources by their calls of thirty days, and by the lower bound of their success rate."""

from dataclasses import dataclass
from math import sqrt

from instant.domain.resources.stats import Stats

Z = 1.96
"""Standard deviations of a 95 % interval."""

_BILLION = 10**9


@dataclass(frozen=True, slots=True)
class UseCounts:
    """A resource's calls in thirty days, as of the last ranking."""

    calls: int = 0
    successes: int = 0

    @property
    def sure_rate(self) -> float:
        """The lower bound of the success rate: Wilson's score interval at 95 %.

        The plain rate would rank 1 success in 1 call above 990 in 1,000; the lower bounds are 0.21 and 0.98. Without
        calls it is 0.
        """
        if not self.calls:
            return 0.0
        rate, share = self.successes / self.calls, Z * Z / self.calls
        spread = Z * sqrt(rate * (1 - rate) / self.calls + share / self.calls / 4)
        return max(0.0, (rate + share / 2 - spread) / (1 + share))

    def calls_rank(self, resource_id: str) -> str:
        """Text that sorts by calls; ties are broken by id, which is by creation time."""
        return f"{self.calls:012d}#{resource_id}"

    def success_rank(self, resource_id: str) -> str:
        """Text that sorts by `sure_rate`; ties are broken by id, which is by creation time."""
        return f"{round(self.sure_rate * _BILLION):010d}#{resource_id}"


def usage_of(stats: Stats) -> UseCounts:
    """The ranking counts of a resource with these statistics: its owner's own calls do not lift its rank."""
    others = stats.without_own()
    return UseCounts(others.success_count_30d + others.failure_count_30d, others.success_count_30d)
