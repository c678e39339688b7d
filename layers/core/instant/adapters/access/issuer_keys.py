"""An issuer's public keys (JWKS), cached in the process: fresh for 1 h, served stale for 24 h if the issuer is down."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwt import PyJWK, PyJWTError
from jwt.types import JWKDict

from instant.domain.access.token import is_safe_url
from instant.domain.errors import UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Request
from instant.ports.clock import Clock
from instant.ports.upstream import Upstream, ask

FRESH_SECONDS = 3600
"""After this time the keys are fetched again, so that a revoked key stops working."""

STALE_SECONDS = 24 * 3600
"""How long stale keys are used while the issuer is unreachable."""

SEARCH_SECONDS = 60
"""Minimum interval between fetches caused by an unknown `kid`, or after a failed fetch."""

RETRY_SECONDS = 5
"""Minimum interval between fetches while no keys are cached."""

MAX_BYTES = 200_000
"""Maximum size of a document in bytes; key sets have a few thousand."""

_ALGORITHMS = {
    ("RSA", ""): ("RS256", "RS384", "RS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
}
"""The algorithms for a key of this type and curve: taken from the key, never from the token."""

_NEVER = float("-inf")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key and the algorithms that it may be used with."""

    public: Any
    algorithms: tuple[str, ...]


class IssuerKeys:
    """The keys by `kid`, fetched on demand."""

    def __init__(self, issuer: str, jwks_url: str, upstream: Upstream, clock: Clock, seconds: float = 2.0) -> None:
        """Without `jwks_url`, the discovery document provides the URL; `seconds` is the timeout of each fetch."""
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._upstream = upstream
        self._clock = clock
        self._seconds = seconds
        self._keys: Mapping[str, IssuerKey] = {}
        self._fetched_at = self._tried_at = self._searched_at = _NEVER

    def find(self, name: str) -> IssuerKey | None:
        """The key; None if the issuer has no such key. Raises `UpstreamUnavailable` if the keys cannot be fetched."""
        now = self._clock.monotonic()
        age = now - self._fetched_at
        if age >= FRESH_SECONDS:
            patience = RETRY_SECONDS if age >= STALE_SECONDS else SEARCH_SECONDS
            if now - self._tried_at >= patience:
                self._refresh(now)
        elif name not in self._keys and now - self._searched_at >= SEARCH_SECONDS:
            self._searched_at = now
            self._refresh(now)
        if now - self._fetched_at >= STALE_SECONDS:
            raise UpstreamUnavailable("The issuer of access tokens cannot be reached. Try again in a moment.")
        return self._keys.get(name)

    def _refresh(self, now: float) -> None:
        """Fetch the keys; if that fails, the cached keys are kept."""
        self._tried_at = now
        try:
            self._keys = _usable(self._document(self._jwks_url or self._discovered()).get("keys"))
        except Exception as error:
            _log.warning("no keys from the issuer", extra={"error": type(error).__name__})
        else:
            self._fetched_at = now

    def _discovered(self) -> str:
        document = self._document(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != self._issuer or not isinstance(url, str) or not is_safe_url(url):
            raise UpstreamError("The discovery document is another issuer's, or names no safe place of keys.")
        return url

    def _document(self, url: str) -> Mapping[str, Any]:
        request = Request(method="GET", base_url=url, path="", max_reply_bytes=MAX_BYTES)
        reply = ask(self._upstream, request, seconds=self._seconds)
        try:
            document = json.loads(reply.body) if reply.status == 200 else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise UpstreamError(f"Status {reply.status} instead of a JSON object.")
        return document


def _usable(listed: Any) -> dict[str, IssuerKey]:
    """The keys with a `kid` and a supported algorithm; at least one is required."""
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    keys = {key["kid"]: made for key in found if isinstance(key.get("kid"), str) and (made := _made(key))}
    if not keys:
        raise UpstreamError("The key set has no usable key.")
    return keys


def _made(key: JWKDict) -> IssuerKey | None:
    possible = _ALGORITHMS.get((str(key.get("kty")), str(key.get("crv", ""))), ())
    algorithms = tuple(name for name in possible if key.get("alg", name) == name)
    if not algorithms or key.get("use", "sig") != "sig":
        return None
    try:
        return IssuerKey(PyJWK(key, algorithms[0]).key, algorithms)
    except (PyJWTError, KeyError, TypeError, ValueError):
        return None
