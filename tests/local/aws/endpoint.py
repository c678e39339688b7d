"""The AWS endpoint of the local stack: identifies the caller, checks permissions, and routes the call."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from tests.local.api.server import Answer, Request
from tests.local.aws import presigned
from tests.local.aws.actions import Call, read_call
from tests.local.aws.arns import last_part
from tests.local.aws.calls import Calls
from tests.local.aws.events import Events
from tests.local.aws.permissions import Permissions
from tests.local.functions.deliveries import Deliveries
from tests.local.functions.invocation import EventTooLarge
from tests.local.functions.pool import Functions

ADMIN = "admin"
"""The access key id that has all permissions and whose calls are not recorded."""

_KEY_ID = re.compile(r"(?:X-Amz-Credential|AWSAccessKeyId|Credential)=([^/&,]+)")


class Aws:
    """Handles AWS API calls: invocations and PutEvents directly, all others with moto."""

    def __init__(
        self,
        moto: Callable[[Request], Answer],
        permissions: Permissions,
        events: Events,
        functions: Functions,
        deliveries: Deliveries,
    ) -> None:
        """Takes the handlers of the calls; asynchronous invocations are submitted to `deliveries`."""
        self.calls = Calls()
        self._moto = moto
        self._permissions = permissions
        self._events = events
        self._functions = functions
        self._deliveries = deliveries

    def answer(self, request: Request) -> Answer:
        """The response to one call; functions need a permission, and unknown callers can only invoke functions."""
        call = read_call(request)
        caller = _caller(request)
        if caller in self._functions:
            self.calls.add(caller, call.service, call.operation)
            if denial := presigned.denial(request) or self._permissions.denial(caller, call):
                print(f"AccessDenied: {denial}", file=sys.stderr)
                return _denied(request, call, denial)
        elif caller != ADMIN and call.service != "lambda":
            return _denied(request, call, f"{caller} is not a function; call with the access key id {ADMIN}")
        return self._carry_out(call, request)

    def _carry_out(self, call: Call, request: Request) -> Answer:
        match call.service, call.operation:
            case "lambda", "Invoke":
                return self._invocation(request)
            case "events", "PutEvents":
                return _json(200, self._events.put(json.loads(request.body)))
        return self._moto(request)

    def _invocation(self, request: Request) -> Answer:
        name = last_part(unquote(request.path.split("/")[3]))
        if name not in self._functions:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        event = request.body or b"{}"
        try:
            if request.header("X-Amz-Invocation-Type") == "Event":
                self._deliveries.submit(name, event)
                return Answer(202)
            outcome = self._functions.invoke(name, event)
        except EventTooLarge:
            return _error(413, "RequestTooLargeException", "The event is over 6 MB.")
        failed = [("X-Amz-Function-Error", "Unhandled")] if outcome.failed else []
        return Answer(200, [("X-Amz-Executed-Version", "$LATEST"), *failed], outcome.payload)


def _caller(request: Request) -> str:
    found = _KEY_ID.search(request.header("Authorization") or "") or _KEY_ID.search(unquote(request.query))
    return found[1] if found else "a caller without credentials"


def _denied(request: Request, call: Call, message: str) -> Answer:
    if call.service == "lambda" or request.header("X-Amz-Target"):
        return _error(400, "AccessDeniedException", message)
    # clients of S3 and of the older services report non-XML errors only as "Bad Request"
    body = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    body = body if call.service == "s3" else f"<ErrorResponse>{body}</ErrorResponse>"
    return Answer(403, [("Content-Type", "application/xml")], body.encode())


def _error(status: int, kind: str, message: str) -> Answer:
    answer = _json(status, {"__type": kind, "message": message})
    return Answer(status, [*answer.headers, ("X-Amzn-ErrorType", kind)], answer.body)


def _json(status: int, content: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(content).encode())
