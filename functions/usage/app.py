"""GET /api/usage/what-if: what a caller's calls would have cost on another model."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog_store import DynamoModelReader
from instant.adapters.clock import SystemClock
from instant.adapters.usage_history import DynamoUsageHistory
from instant.domain.page import Cursor
from instant.entrypoints.cost_answers import WhatIf, comparison_view
from instant.entrypoints.http import api, caller_of, handler_of
from instant.settings import UsageSettings
from instant.use_cases.compare_usage import compare_usage

settings = UsageSettings.load()
history = DynamoUsageHistory(settings.executions_table)
models = DynamoModelReader(settings.models_table)
clock = SystemClock()
app = api()


@app.get("/api/usage/what-if")
def what_if(model: Annotated[str, Query(min_length=1, max_length=200)], cursor: str | None = None) -> WhatIf:
    """What the caller's last thirty days would have cost on another model, at its prices of now.

    Only tokens are compared: cached ones, which may have been cheaper, count in full. One request looks at 2,000
    executions; while `complete` is false, go on with `next_cursor` and add up.
    """
    after = Cursor.decode(cursor) if cursor else None
    return comparison_view(compare_usage(model, caller_of(app), after, history, models, clock))


handler = handler_of(app, settings)
