"""The dependencies of executing a resource, as every function that executes has them."""

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeyOpener
from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.call_facts import DynamoCallFacts
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.ledger import DynamoLedger, LedgerTables
from instant.adapters.media.image_decoder import PillowImageDecoder
from instant.adapters.media.image_store import S3ImageStore
from instant.adapters.resources.reader import DynamoResourceReader
from instant.domain.money import to_nanousd
from instant.entrypoints.upstream import upstream_of
from instant.ports.clock import Clock
from instant.settings import ExecuteSettings
from instant.use_cases.executions.credential import PlatformTerms
from instant.use_cases.executions.deps import ExecuteDeps, LedgerDeps, MediaDeps


def execute_deps(settings: ExecuteSettings, clock: Clock) -> ExecuteDeps:
    """The dependencies for a function with these settings."""
    days_kept = settings.retention_days - 7
    integrations = DynamoIntegrationStore(settings.integrations_table)
    return ExecuteDeps(
        resources=DynamoResourceReader(settings.resources_table),
        facts=DynamoCallFacts(settings.integrations_table, settings.models_table, settings.limits_table),
        models=DynamoModelLookup(settings.models_table),
        integrations=integrations,
        key_status=integrations,
        keys=KmsKeyOpener(settings.credentials_key, settings.stage),
        upstream=upstream_of(settings),
        media=MediaDeps(
            decoder=PillowImageDecoder(),
            images=S3ImageStore(settings.images_table, settings.media_bucket, days_kept=days_kept),
        ),
        ledger=LedgerDeps(
            ledger=DynamoLedger(_tables(settings), days_kept=days_kept),
            executions=DynamoExecutionHistory(settings.executions_table),
            answers=S3AnswerStore(settings.media_bucket),
            clock=clock,
        ),
        platform=PlatformTerms(
            models=settings.paid_models,
            daily_nanousd=to_nanousd(settings.platform_daily_usd),
            daily_nanousd_each=to_nanousd(settings.platform_daily_usd_each),
        ),
        clock=clock,
    )


def _tables(settings: ExecuteSettings) -> LedgerTables:
    return LedgerTables(
        executions=settings.executions_table,
        stats=settings.resource_stats_table,
        usage=settings.usage_table,
        limits=settings.limits_table,
    )
