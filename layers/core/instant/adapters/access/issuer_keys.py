"""An issuer's public keys (JWKS), cached in the process: fresh for 1 h, served stale for 24 h if the issuer is down."""

import json
import logging
from collections.abc import Mapping, Sequence
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
    ("OKP", "Ed25519"): ("EdDSA",),
    ("OKP", "Ed448"): ("EdDSA",),
}
"""The algorithms for a key of this type and curve: taken from the key, never from the token."""

_NEVER = float("-inf")
_log = logging.getLogger(__name__)


SUPPORTED = frozenset(name for names in _ALGORITHMS.values() for name in names)
"""The algorithms of all keys."""

MAX_TRIED = 10
"""Maximum number of keys tried for one token without a `kid`; key sets have two or three."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key, the algorithms that it may be used with, and its name (`kid`), which is optional (RFC 7517)."""

    public: Any
    algorithms: tuple[str, ...]
    name: str | None = None


class IssuerKeys:
    """The keys of an issuer, fetched on demand."""

    def __init__(self, issuer: str, jwks_url: str, upstream: Upstream, clock: Clock, seconds: float) -> None:
        """Without `jwks_url`, the discovery document provides the URL; `seconds` is the timeout of each fetch."""
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._upstream = upstream
        self._clock = clock
        self._seconds = seconds
        self._keys: Sequence[IssuerKey] = ()
        self._fetched_at = self._tried_at = self._searched_at = _NEVER

    def find(self, name: str | None, algorithm: str) -> list[IssuerKey]:
        """The keys that can have signed a token with this `kid` and `alg`.

        A name selects the keys of that name, or those without a name; no name selects all. Raises
        `UpstreamUnavailable` if the keys cannot be fetched.
        """
        now = self._clock.monotonic()
        age = now - self._fetched_at
        if age >= FRESH_SECONDS:
            patience = RETRY_SECONDS if age >= STALE_SECONDS else SEARCH_SECONDS
            if now - self._tried_at >= patience:
                self._refresh(now)
        elif not self._named(name):
            self.search()
        if now - self._fetched_at >= STALE_SECONDS:
            raise UpstreamUnavailable("The issuer of access tokens cannot be reached. Try again in a moment.")
        return [key for key in self._named(name) if algorithm in key.algorithms][:MAX_TRIED]

    def search(self) -> bool:
        """Fetch the keys again because none of them fits; returns False if that was done a moment ago."""
        now = self._clock.monotonic()
        if now - self._searched_at < SEARCH_SECONDS:
            return False
        self._searched_at = now
        self._refresh(now)
        return True

    def _named(self, name: str | None) -> Sequence[IssuerKey]:
        if name is None:
            return self._keys
        return [key for key in self._keys if key.name == name] or [key for key in self._keys if key.name is None]

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


def _usable(listed: Any) -> list[IssuerKey]:
    """The keys with a supported algorithm; at least one is required."""
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    keys = [made for key in found if isinstance(key.get("kid", ""), str) and (made := _made(key))]
    if not keys:
        raise UpstreamError("The key set has no usable key.")
    return keys


def _made(key: JWKDict) -> IssuerKey | None:
    possible = _ALGORITHMS.get((str(key.get("kty")), str(key.get("crv", ""))), ())
    algorithms = tuple(name for name in possible if key.get("alg", name) == name)
    if not algorithms or key.get("use", "sig") != "sig":
        return None
    try:
        return IssuerKey(PyJWK(key, algorithms[0]).key, algorithms, key.get("kid"))
    except (PyJWTError, KeyError, TypeError, ValueError):
        return None
