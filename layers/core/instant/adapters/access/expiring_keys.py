"""API keys whose rows expire some time after they were revoked, together with the budgets of these keys."""

from typing import Any, override

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.aws.transactions import transact
from instant.adapters.usage.budget_rows import budget_key
from instant.domain.access.api_key import ApiKey
from instant.domain.clock import expiry_after
from instant.domain.usage.budget import BudgetScope, Subject


class ExpiringApiKeyStore(DynamoApiKeyStore):
    """Sets the expiry after the revocation, which does not depend on it; revoking a key again sets it again."""

    def __init__(self, table_name: str, limits_table: str, *, days_kept: int) -> None:
        """Use these tables; rows of revoked keys expire after `days_kept` days."""
        super().__init__(table_name)
        self._table_name = table_name
        self._limits_table = limits_table
        self._days_kept = days_kept

    @override
    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        super().revoke(key, revoked_at)
        expiry = {":expiry": {"N": str(expiry_after(key.revoked_at or revoked_at, self._days_kept))}}
        transact(
            {
                "key": self._update(key.key_hash, "SET purge_at = :expiry", expiry),
                "id": self._update(
                    f"id#{key.key_id}",
                    "SET purge_at = :expiry, target = if_not_exists(target, :hash)",
                    {**expiry, ":hash": {"S": key.key_hash}},
                ),
                "budget": {
                    "Update": {
                        "TableName": self._limits_table,
                        "Key": budget_key(Subject(BudgetScope.API_KEY, key.key_id)),
                        "UpdateExpression": "SET expires_at = :expiry",
                        "ExpressionAttributeValues": expiry,
                    }
                },
            }
        )

    def _update(self, name: str, expression: str, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table_name,
                "Key": {"key_hash": {"S": name}},
                "UpdateExpression": expression,
                "ExpressionAttributeValues": values,
            }
        }
