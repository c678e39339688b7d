"""Gateway responses: those of the template, or the defaults of AWS."""

import json
import re
from collections.abc import Mapping

from tests.local.api.server import Answer
from tests.local.template import Json

DEFAULT_STATUS = {
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "INVALID_SIGNATURE": 403,
    "REQUEST_TOO_LARGE": 413,
    "INTEGRATION_FAILURE": 502,
    "INTEGRATION_TIMEOUT": 504,
}
_DEFAULT_BODY = '{"message":$context.error.messageString}'
_JSON = "application/json"


class GatewayResponses:
    """Renders gateway responses."""

    def __init__(self, configured: Mapping[str, Json]) -> None:
        """Takes the `GatewayResponses` of the API."""
        self._configured = configured

    def answer(self, kind: str, message: str | None, request_id: str) -> Answer:
        """The response of a type; a type without configuration uses DEFAULT_4XX or DEFAULT_5XX."""
        status = DEFAULT_STATUS[kind]
        general = self._configured.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX", {})
        configured = self._configured.get(kind, general)
        template = configured.get("ResponseTemplates", {}).get(_JSON, _DEFAULT_BODY)
        context = {
            "error.messageString": json.dumps(message),
            "error.message": message or "null",
            "error.responseType": kind,
            "requestId": request_id,
        }
        headers = [("Content-Type", _JSON), ("x-amzn-RequestId", request_id), *_headers(configured)]
        return Answer(int(configured.get("StatusCode", status)), headers, _render(template, context).encode())


def _render(template: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$context\.([A-Za-z.]*[A-Za-z])", lambda found: context.get(found[1], ""), template)


def _headers(configured: Json) -> list[tuple[str, str]]:
    given = configured.get("ResponseParameters", {}).get("Headers", {})
    return [(name, str(value).strip("'")) for name, value in given.items()]
