"""The models that resources use, and the resources that use a model, from one index."""

from collections import Counter
from collections.abc import Iterator
from typing import override

from instant.adapters.resources.rows import ResourceRow, user_of
from instant.domain.catalog.impact import Use
from instant.domain.catalog.successor import SuccessorPolicy
from instant.ports.resources.models_in_use import ModelsInUse, UsesOfModels

MAX_READ = 10_000
"""Maximum number of uses that are counted: about 2 MB, or 250 read units."""

_ROWS_PER_READ = 500


class DynamoModelsInUse(ModelsInUse):
    """Counts resources by model; deleted resources are included, which costs only an extra request to the service."""

    def __init__(self, resources_table: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(resources_table)

    @override
    def most_used(self, count: int) -> list[str]:
        used = Counter(row.ai_model_id for row in self._rows.by_model.scan(limit=MAX_READ))
        return [model for model, _ in used.most_common(count)]


class DynamoUsesOfModels(UsesOfModels):
    """Finds the resources that use a model; the index is eventually consistent, which is sufficient here."""

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
