"""/api/usage…: the caller's usage, and its price on another model."""

import json
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog.store import DynamoModelReader
from instant.adapters.clock import SystemClock
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.usage.report import DynamoUsageStore
from instant.domain.page import Cursor
from instant.domain.usage.report import Grouping
from instant.entrypoints.http.accept import accepted_type
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.body import JSON
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.fields import Day
from instant.entrypoints.http.responses import documented
from instant.entrypoints.usage.compare import WhatIf, comparison_view
from instant.entrypoints.usage.report import CSV, ReportedUsage, file_name, usage_csv, usage_view
from instant.settings import UsageSettings
from instant.use_cases.usage.compare import compare_usage
from instant.use_cases.usage.report import report_usage

settings = UsageSettings.load()
history = DynamoExecutionHistory(settings.executions_table)
usage = DynamoUsageStore(settings.usage_table)
models = DynamoModelReader(settings.models_table)
clock = SystemClock()
app = api()


@app.get("/api/usage", responses=documented(ReportedUsage, also=CSV))
def show(
    since: Annotated[Day | None, Query(description="First UTC day; default: 29 days before until.")] = None,
    until: Annotated[Day | None, Query(description="Last UTC day, default: today. At most 366 days.")] = None,
    by: Annotated[Grouping | None, Query(description="Return one row per day and group; default: one per day.")] = None,
    format: Annotated[Literal["json", "csv"] | None, Query(description="Default: by Accept.")] = None,  # noqa: A002
) -> Response[str]:
    """Report the caller's usage by day, as JSON or, by `format=csv` or `Accept`, as CSV.

    A call is counted on the UTC day on which it was made, as soon as its outcome is known.
    """
    report = report_usage(caller_of(app), since, until, by, usage, clock)
    if format == "csv" or (format is None and accepted_type(app, (JSON, CSV)) == CSV):
        attachment = f'attachment; filename="{file_name(report)}"'
        headers = {"Content-Disposition": attachment, "Vary": "Accept"}
        return Response(200, f"{CSV}; charset=utf-8", usage_csv(report), headers)
    return Response(200, JSON, json.dumps(usage_view(report)), {"Vary": "Accept"})


@app.get("/api/usage/what-if")
def what_if(model: Annotated[str, Query(min_length=1, max_length=200)], cursor: str | None = None) -> WhatIf:
    """Price the caller's last thirty days on another model, at its current prices.

    Only tokens are compared; cached tokens, which may have been cheaper, are priced in full. One request examines 2,000
    executions; while `complete` is false, continue with `next_cursor` and add the results.
    """
    after = Cursor.decode(cursor) if cursor else None
    return comparison_view(compare_usage(model, caller_of(app), after, history, models, clock))


handler = handler_of(app, settings)
