"""OPTIONS on every path: answer the preflight requests of browsers; needs no token and reads no data."""

from typing import Any

from instant.entrypoints.http.headers import SECURITY, Cors
from instant.entrypoints.observability import quiet_libraries
from instant.settings import PreflightSettings

quiet_libraries()
settings = PreflightSettings.load()
cors = Cors(settings.cors_origins)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return which methods and headers a page of the caller's origin may use."""
    return {"statusCode": 204, "multiValueHeaders": {**SECURITY, **cors.preflight(event)}, "body": ""}
