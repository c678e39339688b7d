"""The ledger on an app's tables."""

from instant.adapters.executions.ledger import DynamoLedger, LedgerTables
from tests.integration.app import App


def a_ledger(app: App, kind: type[DynamoLedger] = DynamoLedger) -> DynamoLedger:
    """Return the ledger on the app's tables, of the class `kind`."""
    tables = LedgerTables(
        executions=app.name("EXECUTIONS_TABLE"),
        stats=app.name("RESOURCE_STATS_TABLE"),
        usage=app.name("USAGE_TABLE"),
        limits=app.name("LIMITS_TABLE"),
    )
    return kind(tables, days_kept=90)
