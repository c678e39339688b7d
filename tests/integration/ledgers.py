"""The ledger over a house's tables."""

from instant.adapters.executions.ledger import DynamoLedger, LedgerTables
from tests.integration.house import House


def a_ledger(house: House, kind: type[DynamoLedger] = DynamoLedger) -> DynamoLedger:
    """The real one, or one that `kind` has bent."""
    tables = LedgerTables(
        executions=house.name("EXECUTIONS_TABLE"),
        stats=house.name("RESOURCE_STATS_TABLE"),
        usage=house.name("USAGE_TABLE"),
        limits=house.name("LIMITS_TABLE"),
    )
    return kind(tables, days_kept=90)
