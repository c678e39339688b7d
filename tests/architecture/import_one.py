"""Run by path with a module name: imports it and prints the loaded modules, the log lines and the routes as JSON.

It imports few modules itself, so that the result depends only on the module.
"""

import gc
import importlib
import logging
import sys
from typing import Any


def routes(app: Any) -> list[tuple[str, str]]:
    """The method and path of every route of a Powertools resolver, with parameters as {name}."""
    found = app._static_routes + app._dynamic_routes
    return [(route.method, route.openapi_path) for route in found]


def clients() -> list[str]:
    """The names of the AWS services for which a client exists."""
    botocore = sys.modules.get("botocore.client")
    if botocore is None:
        return []
    found = [thing for thing in gc.get_objects() if isinstance(thing, botocore.BaseClient)]
    return [client.meta.service_model.service_name for client in found]


class Listener(logging.Handler):
    """Records log messages."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Record one message."""
        self.lines.append(f"{record.name}: {record.getMessage()}")


if __name__ == "__main__":
    listener = Listener()
    logging.basicConfig(level=logging.INFO, handlers=[listener])  # the log level of the template
    module = importlib.import_module(sys.argv[1])
    answer = {
        "modules": list(sys.modules),
        "clients": clients(),
        "logged": listener.lines,
        "routes": routes(module.app) if hasattr(module, "app") else [],
    }
    import json

    print(json.dumps(answer))
