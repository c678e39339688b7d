"""The caller's connection, the models and the budgets in one BatchGetItem: three tables, one round trip."""

from collections.abc import Sequence

from instant.adapters.batch_reads import name_of, read_items, these
from instant.adapters.budget_rows import budget_key, budget_of
from instant.adapters.catalog_store import ModelRow
from instant.adapters.integration_store import IntegrationRow
from instant.domain.budget import Subject
from instant.domain.integration import PLATFORM
from instant.ports import CallFacts


class DynamoCallFacts:
    """Reads across the tables of integrations, models and limits."""

    def __init__(self, integrations_table: str, models_table: str, limits_table: str) -> None:
        """Use the tables of these names."""
        self._integrations = IntegrationRow.named(integrations_table)
        self._models = ModelRow.named(models_table)
        self._limits = limits_table

    def of(
        self, user_id: str, service: str, model_ids: Sequence[str], subjects: Sequence[Subject], *, platform: bool
    ) -> CallFacts:
        """All of them, as they are now; of the budgets those of `subjects`, in their order."""
        payers = [user_id, PLATFORM] if platform else [user_id]
        integrations, models = name_of(self._integrations), name_of(self._models)
        wanted = {
            integrations: [{"user_id": {"S": payer}, "service": {"S": service}} for payer in payers],
            models: [{"openrouter_id": {"S": model_id}} for model_id in model_ids],
            self._limits: [budget_key(subject) for subject in subjects],
        }
        found = read_items({table: these(keys) for table, keys in wanted.items() if keys})
        connections = [self._integrations.from_raw_data(item).record() for item in found.get(integrations, [])]
        connection_of = {connection.user_id: connection for connection in connections}
        budget_at = {budget.subject: budget for budget in map(budget_of, found.get(self._limits, []))}
        rows = [self._models.from_raw_data(item).record() for item in found.get(models, [])]
        return CallFacts(
            integration=connection_of.get(user_id),
            models={model.openrouter_id: model for model in rows},
            budgets=tuple(budget_at[subject] for subject in subjects if subject in budget_at),
            platform=connection_of.get(PLATFORM),
        )
