"""Which models resources use, and which resources use a model, out of one index."""

from collections import Counter
from collections.abc import Iterator
from typing import override

from instant.adapters.resources.rows import ResourceRow, user_of
from instant.domain.catalog.impact import Use
from instant.domain.catalog.successor import SuccessorPolicy
from instant.ports.resources.models_in_use import ModelsInUse, UsesOfModels

MAX_READ = 10_000
"""Most uses that are counted: they take about two megabytes, some 250 read units."""

_ROWS_PER_READ = 500


class DynamoModelsInUse(ModelsInUse):
    """Counts resources by model; deleted ones count on, which costs a question to the service and nothing else."""

    def __init__(self, resources_table: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(resources_table)

    @override
    def most_used(self, count: int) -> list[str]:
        used = Counter(row.ai_model_id for row in self._rows.by_model.scan(limit=MAX_READ))
        return [model for model, _ in used.most_common(count)]


class DynamoUsesOfModels(UsesOfModels):
    """Finds the resources that use a model; one that was saved just now may not be there yet, nor need be."""

    def __init__(self, resources_table: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(resources_table)

    @override
    def of(self, openrouter_id: str) -> Iterator[Use]:
        row = self._rows
        rows = row.by_model.query(
            openrouter_id, filter_condition=row.deleted_at.does_not_exist(), page_size=_ROWS_PER_READ
        )
        return (
            Use(
                resource_id=user_of(row.resource_id),
                owner_id=row.owner_id,
                successor_policy=SuccessorPolicy(row.successor_policy),
            )
            for row in rows
        )
