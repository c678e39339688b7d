"""Keys created with user consent (PKCE): GET /auth issues a code, POST /auth/keys exchanges it for a key."""

import threading
import time
from base64 import urlsafe_b64encode
from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import USER_ID, error
from tests.fakes.openrouter.script import Script

LIFETIME = 600.0
"""The lifetime of a code in seconds."""

_METHODS = ("S256", "plain", None)


@dataclass(frozen=True)
class _Authorization:
    """The challenge, method and time of an issued code."""

    challenge: str | None
    method: str | None
    at: float


class Consent:
    """The issued codes; each can be exchanged once, within ten minutes.

    A wrong verifier does not consume a code. Keys are deterministic: the n-th key is the same in every run.
    """

    def __init__(self) -> None:
        self.next_keys: deque[str] = deque()
        self.scripts: deque[Script] = deque()
        self.made_keys: list[str] = []
        self.passed = 0.0
        self._pending: dict[str, _Authorization] = {}
        self._lock = threading.Lock()

    def allow(self, query: Json) -> str:
        """Grant consent and return a new code."""
        method, challenge = query.get("code_challenge_method"), query.get("code_challenge")
        if method not in _METHODS:
            raise error(400, "Invalid code_challenge_method")
        if challenge is None and ("callback_url" not in query or method is not None):
            raise error(400, "Invalid request parameters")
        code = f"auth_code_{token_urlsafe(24)}"
        with self._lock:
            self._pending[code] = _Authorization(challenge, method or ("plain" if challenge else None), self._now())
        return code

    def exchange(self, body: object) -> Json:
        """Exchange a code for a key; each code works once."""
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            raise error(400, "Invalid request parameters")
        with self._lock:
            authorization = self._pending.get(body["code"])
            if authorization is None:
                raise error(403, "Invalid code or code_verifier")
            _check(authorization, body)
            del self._pending[body["code"]]
            if self._now() - authorization.at > LIFETIME:
                raise error(403, "Authorization code expired")
            return {"key": self._make(), "user_id": USER_ID}

    def _now(self) -> float:
        return time.monotonic() + self.passed

    def _make(self) -> str:
        number = f"key {len(self.made_keys) + 1}"
        new = f"sk-or-v1-{sha256(number.encode()).hexdigest()}"
        self.made_keys.append(self.next_keys.popleft() if self.next_keys else new)
        return self.made_keys[-1]


def with_code(callback: str, code: str) -> str:
    """The redirect URL: the callback with `code` appended to its query; it must use https or a loopback host."""
    parts = urlsplit(callback)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1"}:
        raise error(400, "Invalid callback_url")
    return parts._replace(query=urlencode([*parse_qsl(parts.query), ("code", code)])).geturl()


def _check(authorization: _Authorization, body: Json) -> None:
    """Raise an error unless the method and the verifier match the authorization."""
    if authorization.method is None:
        return
    if body.get("code_challenge_method") != authorization.method:
        raise error(400, "Invalid code_challenge_method")
    verifier = str(body.get("code_verifier"))
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if authorization.challenge != (digest if authorization.method == "S256" else verifier):
        raise error(403, "Invalid code or code_verifier")
