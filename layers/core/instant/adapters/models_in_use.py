"""Which models resources use, out of an index that holds keys alone."""

from collections import Counter

from instant.adapters.resource_rows import ResourceRow

MOST_READ = 10_000
"""Most resources that are counted: their keys take about a megabyte, some 130 read units."""


class DynamoModelsInUse:
    """Counts resources by model; deleted ones count on, which costs a question to the service and nothing else."""

    def __init__(self, resources_table: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(resources_table)

    def most_used(self, count: int) -> list[str]:
        """The ids of so many models at most, those of the most resources first."""
        used = Counter(row.ai_model_id for row in self._rows.by_model.scan(limit=MOST_READ))
        return [model for model, _ in used.most_common(count)]
