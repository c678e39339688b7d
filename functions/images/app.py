"""GET /api/images/{image_id}: redirect a user to one of their images."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.event_handler import Response

from instant.adapters.clock import SystemClock
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.media.image_store import DynamoImageReader
from instant.entrypoints.executions.images import SignedLink
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.responses import documented
from instant.settings import ImagesSettings
from instant.use_cases.executions.images import ImageDeps, link_to_image

settings = ImagesSettings.load()
deps = ImageDeps(
    images=DynamoImageReader(settings.images_table, settings.media_bucket),
    executions=DynamoExecutionHistory(settings.executions_table),
    clock=SystemClock(),
)
app = api()


@app.get("/api/images/<image_id>", responses={**documented(SignedLink), 302: {"description": "The image itself."}})
def show(image_id: str) -> Response[dict[str, Any] | None]:
    """Get a short-lived link: a redirect, or JSON on request, since an `<img>` cannot send a token."""
    link = link_to_image(image_id, caller_of(app), deps)
    if "application/json" in (app.current_event.headers.get("Accept") or "").lower():
        return Response(200, "application/json", asdict(link))
    return Response(302, headers={"Location": link.url})


handler = handler_of(app, settings)
