"""Rank the public resources from their statistics of the last 30 days."""

from dataclasses import dataclass

from instant.domain.resources.ranking import usage_of
from instant.ports.clock import Clock
from instant.ports.resources.lists import RankStore
from instant.ports.resources.stats import StatsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResult:
    """The counts of a ranking; `skipped` rows were deleted, unlisted or written concurrently."""

    seen: int = 0
    written: int = 0
    skipped: int = 0


def rank_resources(resources: RankStore, stats: StatsStore, clock: Clock) -> RankResult:
    """Write the usage of every public resource that has changed.

    An interrupted run has written some ranks; the next run writes the rest.
    """
    seen = written = skipped = 0
    for resource in resources.every_public():
        seen += 1
        usage = usage_of(stats.of(resource.resource_id, clock.now()))
        if usage == resource.usage:
            continue
        if resources.rank(resource.resource_id, usage):
            written += 1
        else:
            skipped += 1
    return RankResult(seen=seen, written=written, skipped=skipped)
