"""Run by path with a module's name: imports it and prints, as JSON, what that loaded and logged, and the app's routes.

It imports next to nothing itself, so that what it reports is the module's own doing.
"""

import gc
import importlib
import logging
import sys
from typing import Any


def routes(app: Any) -> list[tuple[str, str]]:
    """Method and path of every route of a Powertools resolver, parameters as {name}."""
    found = app._static_routes + app._dynamic_routes
    return [(route.method, route.openapi_path) for route in found]


def clients() -> list[str]:
    """Names of the AWS services that a client exists for."""
    botocore = sys.modules.get("botocore.client")
    if botocore is None:
        return []
    found = [thing for thing in gc.get_objects() if isinstance(thing, botocore.BaseClient)]
    return [client.meta.service_model.service_name for client in found]


class Listener(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        """Nothing yet."""
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(f"{record.name}: {record.getMessage()}")


if __name__ == "__main__":
    listener = Listener()
    logging.basicConfig(level=logging.INFO, handlers=[listener])  # as the template asks of Lambda
    module = importlib.import_module(sys.argv[1])
    answer = {
        "modules": list(sys.modules),
        "clients": clients(),
        "logged": listener.lines,
        "routes": routes(module.app) if hasattr(module, "app") else [],
    }
    import json

    print(json.dumps(answer))
