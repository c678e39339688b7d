"""The payer's connection and the models in one BatchGetItem: two tables, one round trip."""

from collections.abc import Sequence
from typing import Any

from instant.adapters.aws import client
from instant.adapters.catalog_store import ModelRow
from instant.adapters.integration_store import IntegrationRow
from instant.adapters.tables import Table
from instant.domain.errors import UpstreamUnavailable
from instant.ports import CallFacts

_ATTEMPTS = 3


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
        found = _read(
            {
                _name(self._integrations): {"Keys": [integration_key], "ConsistentRead": True},
                _name(self._models): {"Keys": keys, "ConsistentRead": True},
            }
        )
        integration = next(iter(found.get(_name(self._integrations), [])), None)
        models = [self._models.from_raw_data(item).record() for item in found.get(_name(self._models), [])]
        return CallFacts(
            integration=self._integrations.from_raw_data(integration).record() if integration else None,
            models={model.openrouter_id: model for model in models},
        )


def _read(wanted: dict[str, Any]) -> dict[str, list[Any]]:
    """All that is `wanted`; what DynamoDB leaves unprocessed is asked for again, a missing row is no answer."""
    found: dict[str, list[Any]] = {}
    for _ in range(_ATTEMPTS):
        reply = client("dynamodb").batch_get_item(RequestItems=wanted)
        for table, items in reply["Responses"].items():
            found.setdefault(table, []).extend(items)
        wanted = reply.get("UnprocessedKeys")
        if not wanted:
            return found
    raise UpstreamUnavailable("The database is busy. Try again in a moment.", retry_after=1)


def _name(table: type[Table]) -> str:
    return str(table.Meta.table_name)
