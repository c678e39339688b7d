"""Returns its event and its environment."""

import json
import os
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the event, the environment and fields of the context."""
    about = {"name": context.function_name, "arn": context.invoked_function_arn, "id": context.aws_request_id}
    body = json.dumps({"event": event | {"body": None}, "environment": dict(os.environ), "context": about})
    many = {"X-Many": ["1", "2"]}
    return {"statusCode": 200, "headers": {"X-One": "1"}, "multiValueHeaders": many, "body": body}
