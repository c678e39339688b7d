"""The payer's connection and the models in one BatchGetItem: two tables, one round trip."""

from collections.abc import Sequence

from instant.adapters.batch_reads import name_of, read_items, these
from instant.adapters.catalog_store import ModelRow
from instant.adapters.integration_store import IntegrationRow
from instant.ports import CallFacts


class DynamoCallFacts:
    """Reads across the tables of integrations and models."""

    def __init__(self, integrations_table: str, models_table: str) -> None:
        """Use the tables of these names."""
        self._integrations = IntegrationRow.named(integrations_table)
        self._models = ModelRow.named(models_table)

    def of(self, user_id: str, service: str, model_ids: Sequence[str]) -> CallFacts:
        """All of them, as they are now."""
        keys = [{"openrouter_id": {"S": model_id}} for model_id in model_ids]
        integration_key = {"user_id": {"S": user_id}, "service": {"S": service}}
        integrations, models = name_of(self._integrations), name_of(self._models)
        found = read_items({integrations: these([integration_key]), models: these(keys)})
        integration = next(iter(found.get(integrations, [])), None)
        rows = [self._models.from_raw_data(item).record() for item in found.get(models, [])]
        return CallFacts(
            integration=self._integrations.from_raw_data(integration).record() if integration else None,
            models={model.openrouter_id: model for model in rows},
        )
