"""The process that runs moto: handles one message at a time from a pipe, until the pipe closes.

Run by path (`python -P cloud_process.py <file descriptor>`); it imports nothing from this package.
"""

import gc
import json
import logging
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

type Reply = tuple[int, list[tuple[str, str]], bytes]


def answer_http(app: Any, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
    """Pass one AWS API call to moto, with the raw path, which S3 keys require."""
    from werkzeug.test import EnvironBuilder, run_wsgi_app

    path, _, query = target.partition("?")
    builder = EnvironBuilder(path=path, query_string=query, method=method, headers=headers, data=body)
    environ = builder.get_environ() | {"RAW_URI": target}
    try:
        chunks, status, answer_headers = run_wsgi_app(app, environ, buffered=True)
    except Exception:
        logging.getLogger(__name__).exception("moto failed on %s %s", method, target)
        return 500, [("Content-Type", "application/json")], b'{"__type": "InternalFailure"}'
    return int(status.split()[0]), list(answer_headers), b"".join(chunks)


def matching(patterns: list[str], event: str) -> list[bool]:
    """Return for each EventBridge pattern whether it matches the event; all arguments are JSON."""
    from moto.events.models import EventPattern

    parsed = json.loads(event)
    return [EventPattern.load(pattern).matches_event(parsed) for pattern in patterns]


def serve(pipe: Connection) -> None:
    """Answer the messages `("http", …)` and `("match", …)` in order."""
    gc.disable()  # the import creates a million objects and frees none
    import moto.cloudformation  # noqa: F401
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    gc.enable()
    app = DomainDispatcherApplication(create_backend_app)
    with suppress(EOFError):
        while True:
            kind, *arguments = pipe.recv()
            pipe.send(answer_http(app, *arguments) if kind == "http" else matching(*arguments))


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
