"""GET /api/images/{image_id}: redirect a user to one of their images."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from instant.adapters.clock import SystemClock
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.media.image_store import DynamoImageReader
from instant.entrypoints.executions.links import documented_link, link_response
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.settings import ImagesSettings
from instant.use_cases.executions.images import ImageDeps, link_to_image

settings = ImagesSettings.load()
deps = ImageDeps(
    images=DynamoImageReader(settings.images_table, settings.media_bucket),
    executions=DynamoExecutionHistory(settings.executions_table),
    clock=SystemClock(),
)
app = api()


@app.get("/api/images/<image_id>", responses=documented_link("The image itself."))
def show(image_id: str) -> Response[dict[str, Any] | None]:
    """Get a short-lived link: a redirect, or JSON on request, since an `<img>` cannot send a token."""
    return link_response(app, link_to_image(image_id, caller_of(app), deps))


handler = handler_of(app, settings)
