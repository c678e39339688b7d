"""The ranking of public resources, on a schedule."""

from dataclasses import asdict
from typing import Any

from instant.adapters.clock import SystemClock
from instant.adapters.resources.lists import DynamoRankStore
from instant.adapters.resources.stats import DynamoStatsStore
from instant.entrypoints.observability import quiet_libraries
from instant.settings import RankResourcesSettings
from instant.use_cases.resources.rank import rank_resources

quiet_libraries()
settings = RankResourcesSettings.load()
resources = DynamoRankStore(settings.resources_table)
stats = DynamoStatsStore(settings.resource_stats_table)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the ranking once; the result is for the log."""
    return asdict(rank_resources(resources, stats, SystemClock()))
