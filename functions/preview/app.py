"""POST /api/resources/preview: the request and cost of a call; this function can only read, and count calls."""

from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.clock import SystemClock
from instant.adapters.resources.reader import DynamoResourceReader
from instant.domain.limits import MAX_MEDIA_BODY_BYTES
from instant.entrypoints.executions.preview import PreviewBody, PreviewedCall, preview_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.settings import PreviewSettings
from instant.use_cases.executions.preview import PreviewRequest, preview_resource

settings = PreviewSettings.load()
resources = DynamoResourceReader(settings.resources_table)
models = DynamoModelLookup(settings.models_table)
app = api()


@app.post("/api/resources/preview")
def preview(body: PreviewBody) -> PreviewedCall:
    """Preview the request that a call of an own resource, or of a draft, would send, and its maximum cost.

    Nothing is sent, stored or spent.
    """
    return preview_view(
        preview_resource(PreviewRequest(**dict(body)), caller_of(app), resources, models, SystemClock())
    )


handler = handler_of(app, settings, max_body_bytes=MAX_MEDIA_BODY_BYTES)
