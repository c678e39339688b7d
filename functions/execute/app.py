"""POST /api/execute: execute a resource."""

from typing import Any

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeyOpener
from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.clock import SystemClock
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.call_facts import DynamoCallFacts
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.ledger import DynamoLedger, LedgerTables
from instant.adapters.media.image_decoder import PillowImageDecoder
from instant.adapters.media.image_store import S3ImageStore
from instant.adapters.resources.reader import DynamoResourceReader
from instant.domain.executions.delivery import deliverable
from instant.domain.limits import MAX_MEDIA_BODY_BYTES
from instant.domain.money import to_nanousd
from instant.entrypoints.executions.execute import Execute, ExecutedCall
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of, idempotency_key
from instant.entrypoints.http.links import api_address, with_links
from instant.entrypoints.http.responses import documented
from instant.entrypoints.upstream import upstream_of
from instant.settings import ExecuteSettings
from instant.use_cases.executions.credential import PlatformTerms
from instant.use_cases.executions.deps import ExecuteDeps, LedgerDeps, MediaDeps
from instant.use_cases.executions.execute import execute as execute_resource
from instant.use_cases.executions.prepare import ExecuteRequest

settings = ExecuteSettings.load()
clock = SystemClock()
days_kept = settings.retention_days - 7
tables = LedgerTables(
    executions=settings.executions_table,
    stats=settings.resource_stats_table,
    usage=settings.usage_table,
    limits=settings.limits_table,
)
integrations = DynamoIntegrationStore(settings.integrations_table)
deps = ExecuteDeps(
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
        ledger=DynamoLedger(tables, days_kept=days_kept),
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
app = api()


@app.post("/api/execute", responses=documented(ExecutedCall))
def execute(body: Execute) -> dict[str, Any]:
    """Execute a resource with these inputs and return its output."""
    request = ExecuteRequest(
        resource_id=body.resource_id,
        address=body.resource,
        inputs=body.inputs,
        overrides=body.overrides,
        idempotency_key=idempotency_key(app),
    )
    response = execute_resource(request, caller_of(app), seconds_left, deps)
    return with_links(deliverable(response), api_address(app, settings.public_url))


def seconds_left() -> float:
    """The remaining time of this invocation."""
    return app.lambda_context.get_remaining_time_in_millis() / 1000


handler = handler_of(app, settings, max_body_bytes=MAX_MEDIA_BODY_BYTES)
