"""The caller's key and cap, the models and the budgets in one BatchGetItem: three tables, one round trip."""

from collections.abc import Mapping, Sequence
from typing import Any, override

from instant.adapters.access.integrations import USER, IntegrationRow, UserRow
from instant.adapters.aws.batch_reads import name_of, read_items, these
from instant.adapters.catalog.store import ModelRow
from instant.adapters.usage.budget_rows import budget_key, budget_of
from instant.domain.access.integration import PLATFORM, Account
from instant.domain.usage.budget import Subject
from instant.ports.executions.call_facts import CallFacts, CallFactsReader


class DynamoCallFacts(CallFactsReader):
    """Reads from the integrations, models and limits tables."""

    def __init__(self, integrations_table: str, models_table: str, limits_table: str) -> None:
        """Use the tables of these names."""
        self._integrations = IntegrationRow.named(integrations_table)
        self._users = UserRow.named(integrations_table)
        self._models = ModelRow.named(models_table)
        self._limits = limits_table

    @override
    def of(
        self,
        user_id: str,
        service: str | None,
        model_ids: Sequence[str],
        subjects: Sequence[Subject],
        *,
        platform: bool,
    ) -> CallFacts:
        owners = [user_id, PLATFORM] if platform else [user_id]
        services = [service, USER] if service else [USER]
        integrations, models = name_of(self._integrations), name_of(self._models)
        wanted = {
            integrations: [_key(owner, name) for owner in owners for name in services],
            models: [{"openrouter_id": {"S": model_id}} for model_id in model_ids],
            self._limits: [budget_key(subject) for subject in subjects],
        }
        found = read_items({table: these(keys) for table, keys in wanted.items() if keys})
        rows = found.get(integrations, [])
        budget_at = {budget.subject: budget for budget in map(budget_of, found.get(self._limits, []))}
        known = [self._models.from_raw_data(item).record() for item in found.get(models, [])]
        return CallFacts(
            caller=self._account(user_id, rows),
            models={model.openrouter_id: model for model in known},
            budgets=tuple(budget_at[subject] for subject in subjects if subject in budget_at),
            platform=self._account(PLATFORM, rows) if platform else None,
        )

    def _account(self, owner: str, rows: Sequence[Mapping[str, Any]]) -> Account:
        own = {row["service"]["S"]: dict(row) for row in rows if row["user_id"]["S"] == owner}
        user = own.pop(USER, None)
        integration = next(iter(own.values()), None)
        return Account(
            integration=self._integrations.from_raw_data(integration).record() if integration else None,
            own_cap_nanousd=self._users.from_raw_data(user).max_cost_per_call_nanousd if user else None,
        )


def _key(owner: str, service: str) -> dict[str, Any]:
    return {"user_id": {"S": owner}, "service": {"S": service}}
