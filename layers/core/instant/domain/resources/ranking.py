"""How resources are ranked: by their calls of thirty days, and by how surely those succeed."""

from dataclasses import dataclass
from math import sqrt

from instant.domain.resources.stats import Stats

Z = 1.96
"""Standard deviations of a 95 % interval."""

_BILLION = 10**9


@dataclass(frozen=True, slots=True)
class UseCounts:
    """A resource's calls of thirty days, as of the last ranking."""

    calls: int = 0
    successes: int = 0

    @property
    def sure_rate(self) -> float:
        """What the success rate is at least: Wilson's lower bound at 95 %.

        A plain rate would put one lucky call above 990 of 1,000; here the bound of 1 of 1 is 0.21 and that of
        990 of 1,000 is 0.98. Without calls it is 0.
        """
        if not self.calls:
            return 0.0
        rate, share = self.successes / self.calls, Z * Z / self.calls
        spread = Z * sqrt(rate * (1 - rate) / self.calls + share / self.calls / 4)
        return max(0.0, (rate + share / 2 - spread) / (1 + share))

    def calls_rank(self, resource_id: str) -> str:
        """Text that sorts by calls; ties by id, which is by age."""
        return f"{self.calls:012d}#{resource_id}"

    def success_rank(self, resource_id: str) -> str:
        """Text that sorts by the sure rate; ties by id, which is by age."""
        return f"{round(self.sure_rate * _BILLION):010d}#{resource_id}"


def usage_of(stats: Stats) -> UseCounts:
    """What ranks a resource with these statistics."""
    return UseCounts(stats.success_count_30d + stats.failure_count_30d, stats.success_count_30d)
