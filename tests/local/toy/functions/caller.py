"""Makes the AWS call in its event and returns the result."""

import base64
import json
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

_session = botocore.session.get_session()
_clients: dict[str, Any] = {}


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Call `{"service", "method", "arguments"}` with botocore; strings with the prefix `b64:` are decoded to bytes."""
    service = event["service"]
    if service not in _clients:
        _clients[service] = _session.create_client(service, config=Config(retries={"total_max_attempts": 1}))
    try:
        answer = getattr(_clients[service], event["method"])(**_decoded(event["arguments"]))
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    return {"code": None, "answer": json.loads(json.dumps(answer, default=_encoded))}


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, str) and value.startswith("b64:"):
        return base64.b64decode(value[4:])
    return value


def _encoded(value: Any) -> str:
    return "b64:" + base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
