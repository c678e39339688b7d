"""The reconciler of open executions, on a schedule."""

import logging
from typing import Any

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeyOpener
from instant.adapters.clock import SystemClock
from instant.adapters.executions.ledger import DynamoLedger, LedgerTables
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.upstream import upstream_of
from instant.settings import ReconcileSettings
from instant.use_cases.executions.reconcile import ReconcileDeps, reconcile_executions

quiet_libraries()
log = logging.getLogger(__name__)
settings = ReconcileSettings.load()
tables = LedgerTables(
    executions=settings.executions_table,
    stats=settings.resource_stats_table,
    usage=settings.usage_table,
    limits=settings.limits_table,
)
deps = ReconcileDeps(
    open_runs=DynamoOpenRuns(settings.executions_table),
    ledger=DynamoLedger(tables, days_kept=settings.retention_days - 7),
    integrations=DynamoIntegrationStore(settings.integrations_table),
    keys=KmsKeyOpener(settings.credentials_key, settings.stage),
    upstream=upstream_of(settings),
    clock=SystemClock(),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Reconcile what is due; the result is for the log."""
    counts = reconcile_executions(deps, lambda: context.get_remaining_time_in_millis() / 1000)
    if counts:
        log.info("executions reconciled", extra={"counts": dict(counts)})
    return dict(counts)
