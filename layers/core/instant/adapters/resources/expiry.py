"""The rows that belong to a deleted resource and expire with it: its budget and its statistics."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.transactions import TransactWrite

from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.adapters.aws.transactions import transact
from instant.adapters.executions.ledger_rows import SHARDS, item, values
from instant.adapters.usage.budget_rows import PREFIX
from instant.domain.usage.budget import BudgetScope, Subject


class BudgetExpiryRow(Table):
    """The expiry in the row of a budget."""

    name = UnicodeAttribute(hash_key=True)
    expires_at = IntegerAttribute()


class ExpiringRows:
    """Sets the expiry of rows, whether they exist or not: one that is written later keeps it."""

    def __init__(self, stats_table: str, limits_table: str) -> None:
        """Use the tables of these names."""
        self._stats_table = stats_table
        self._budgets = BudgetExpiryRow.named(limits_table)

    def add_budget(self, write: TransactWrite, resource_id: str, expiry: int) -> None:
        """Let the budget expire with this transaction."""
        row = self._budgets(PREFIX + Subject(BudgetScope.RESOURCE, resource_id).name)
        write.update(row, actions=[self._budgets.expires_at.set(expiry)])

    def expire_totals(self, resource_id: str, expiry: int) -> None:
        """Let the totals expire; the buckets of single days always do."""
        updates = {
            f"total#{shard}": {
                "Update": {
                    "TableName": self._stats_table,
                    "Key": item(resource_id=resource_id, bucket=f"total#{shard}"),
                    "UpdateExpression": "SET expires_at = :expiry",
                    "ExpressionAttributeValues": values(expiry=expiry),
                }
            }
            for shard in range(SHARDS)
        }
        transact(updates)
