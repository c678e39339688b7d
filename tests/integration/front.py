"""The app behind the local API gateway, in one process: routes, authorizer, functions and gateway responses."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.app import Answer, App
from tests.local.api.gateway import Gateway
from tests.local.api.server import Request
from tests.local.functions.invocation import Outcome, Sink

_log = logging.getLogger(__name__)


class Front:
    """A gateway without a socket; its authorizer cache lasts as long as the object."""

    def __init__(self, app: App, domains: Mapping[str, str] | None = None) -> None:
        """Route requests to the functions of `app`; `domains` maps custom domain names to their base paths."""
        self._app = app
        self._domains = dict(domains or {})
        self._gateway = Gateway(app.plan, self._invoke, domains=self._domains)

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        repeated: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Send a request; `target` is the path and query, and a body of str or bytes is sent unchanged.

        `repeated` are headers in addition to those of the same name.
        """
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b""
        sent = {"Host": "api.example", **(headers or {})}
        if body is not None:
            raw = raw or json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        base = self._domains.get(sent["Host"], f"/{self._app.plan.stage}")
        request = Request(method, f"{base}{target}", [*sent.items(), *repeated], raw)
        answer = self._gateway.answer(request)
        visible = {name: value for name, value in answer.headers if name != "x-amzn-RequestId"}
        return Answer(answer.status, visible, b"".join(answer.pieces or [answer.body]).decode())

    def _invoke(self, function: str, event: bytes, sink: Sink | None = None) -> Outcome:
        """Invoke a function like Lambda: JSON in, JSON or bytes out; an exception is logged and returned as an error.

        Without AWS's runtime client, functions return their streams as a whole.
        """
        try:
            result = self._app.invoke(function, json.loads(event))
            return Outcome(result if isinstance(result, bytes) else json.dumps(result).encode())
        except Exception as error:
            _log.exception("a function failed")
            described = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Outcome(json.dumps(described).encode(), failed=True)
