"""Keys for users who allow it (PKCE): the page /auth, and POST /auth/keys, which turns its code into a key."""

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
"""Seconds that a code is good for."""

_METHODS = ("S256", "plain", None)


@dataclass(frozen=True)
class _Wish:
    """What a code was asked for with, and when."""

    challenge: str | None
    method: str | None
    at: float


class Consent:
    """Codes that are waiting for their exchange; each is good once, for ten minutes.

    A wrong verifier does not use a code up. Keys are the same in every run: the first one made, the second one made.
    """

    def __init__(self) -> None:
        self.next_keys: deque[str] = deque()
        self.scripts: deque[Script] = deque()
        self.made_keys: list[str] = []
        self.passed = 0.0
        self._waiting: dict[str, _Wish] = {}
        self._lock = threading.Lock()

    def allow(self, query: Json) -> str:
        """The user says yes: a fresh code."""
        method, challenge = query.get("code_challenge_method"), query.get("code_challenge")
        if method not in _METHODS:
            raise error(400, "Invalid code_challenge_method")
        if challenge is None and ("callback_url" not in query or method is not None):
            raise error(400, "Invalid request parameters")
        code = f"auth_code_{token_urlsafe(24)}"
        with self._lock:
            self._waiting[code] = _Wish(challenge, method or ("plain" if challenge else None), self._now())
        return code

    def exchange(self, body: object) -> Json:
        """The key for a code, once."""
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            raise error(400, "Invalid request parameters")
        with self._lock:
            wish = self._waiting.get(body["code"])
            if wish is None:
                raise error(403, "Invalid code or code_verifier")
            _check(wish, body)
            del self._waiting[body["code"]]
            if self._now() - wish.at > LIFETIME:
                raise error(403, "Authorization code expired")
            return {"key": self._make(), "user_id": USER_ID}

    def _now(self) -> float:
        return time.monotonic() + self.passed

    def _make(self) -> str:
        number = f"key {len(self.made_keys) + 1}"
        fresh = f"sk-or-v1-{sha256(number.encode()).hexdigest()}"
        self.made_keys.append(self.next_keys.popleft() if self.next_keys else fresh)
        return self.made_keys[-1]


def with_code(callback: str, code: str) -> str:
    """Where the browser is sent back to: https, or this machine on any port, with `code` after its own query."""
    parts = urlsplit(callback)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1"}:
        raise error(400, "Invalid callback_url")
    return parts._replace(query=urlencode([*parse_qsl(parts.query), ("code", code)])).geturl()


def _check(wish: _Wish, body: Json) -> None:
    """The same method as at the beginning, and the verifier of its challenge."""
    if wish.method is None:
        return
    if body.get("code_challenge_method") != wish.method:
        raise error(400, "Invalid code_challenge_method")
    verifier = str(body.get("code_verifier"))
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if wish.challenge != (digest if wish.method == "S256" else verifier):
        raise error(403, "Invalid code or code_verifier")
