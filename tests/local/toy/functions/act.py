"""Performs the action that its event requests, including failures."""

import json
import os
import socket
from typing import Any


def handler(event: dict[str, Any], _: Any) -> Any:
    """Handle `{"do": …}` as the event or as the body of a request."""
    order = json.loads(event["body"]) if event.get("body") else event
    match order["do"]:
        case "pid":
            return {"statusCode": 200, "body": str(os.getpid())}
        case "wait":
            return _wait(order["port"])
        case "raise":
            raise ValueError("as ordered")
        case "crash":
            os._exit(3)
        case "big":
            return {"statusCode": 200, "body": "x" * order["size"]}
        case "nonsense":
            return ["not", "a", "proxy", "answer"]
    raise ValueError(order)


def _wait(port: int) -> dict[str, Any]:
    """Connect to the listening test and continue when it sends a message."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"here")
        word = connection.recv(100)
        connection.sendall(b"done")
    return {"statusCode": 200, "body": word.decode()}
