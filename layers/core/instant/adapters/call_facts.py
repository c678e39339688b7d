"""The payer's connection and the model in one BatchGetItem: two tables, one round trip."""

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

    def of(self, user_id: str, service: str, openrouter_id: str) -> CallFacts:
        """Both, as they are now."""
        integration_key = {"user_id": {"S": user_id}, "service": {"S": service}}
        wanted = {
            _name(self._integrations): {"Keys": [integration_key], "ConsistentRead": True},
            _name(self._models): {"Keys": [{"openrouter_id": {"S": openrouter_id}}], "ConsistentRead": True},
        }
        found = _read(wanted)
        integration = next(iter(found.get(_name(self._integrations), [])), None)
        model = next(iter(found.get(_name(self._models), [])), None)
        return CallFacts(
            integration=integration and self._integrations.from_raw_data(integration).record(),
            model=model and self._models.from_raw_data(model).record(),
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
