"""Verifies presigned URLs like S3: the signature must match, and the URL must not be expired."""

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs

from tests.local.api.server import Request

SECRET = "local"
"""The secret access key of every function; callers are identified by the access key id."""


def denial(request: Request) -> str | None:
    """Return why S3 would reject the URL; None if it is valid or the request is not presigned."""
    given = {name: values[0] for name, values in parse_qs(request.query).items()}
    if "X-Amz-Signature" not in given:
        return None
    signed_at = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) >= signed_at + timedelta(seconds=int(given["X-Amz-Expires"])):
        return "Request has expired"
    if not hmac.compare_digest(_signature(request, given), given["X-Amz-Signature"]):
        return "The request signature we calculated does not match the signature you provided."
    return None


def _signature(request: Request, given: dict[str, str]) -> str:
    """Signature version 4 over method, path, query and host."""
    query = "&".join(sorted(part for part in request.query.split("&") if not part.startswith("X-Amz-Signature=")))
    asked = [request.method, request.path, query, f"host:{request.header('Host')}\n", "host", "UNSIGNED-PAYLOAD"]
    scope = given["X-Amz-Credential"].partition("/")[2]
    text = "\n".join(["AWS4-HMAC-SHA256", given["X-Amz-Date"], scope, sha256("\n".join(asked).encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()
