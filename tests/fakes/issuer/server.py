"""FakeIssuer: discovery document, public keys, tokens, and faults of their endpoints."""

import json
import time
from itertools import count
from typing import Any, Self

from tests.fakes.issuer.http import FAULTS, Listener
from tests.fakes.issuer.signing import SigningKey, first_key, jws

__all__ = ["FAULTS", "FakeIssuer"]

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/keys"


class FakeIssuer:
    """An issuer on 127.0.0.1 that runs during a `with` block."""

    def __init__(self, audience: str = "instant-resources") -> None:
        """Bind the port, so that `url` is known before the issuer is started."""
        self.audience = audience
        self.key = first_key()
        self.published: list[SigningKey] = [self.key]
        self.extra_keys: list[Any] = []  # published unchanged besides `published`
        self._numbers = count(2)
        self._listener = Listener(self._document)
        self.url = f"http://127.0.0.1:{self._listener.server_port}"
        self.jwks_url = self.url + JWKS
        self.discovery: dict[str, Any] = {"issuer": self.url, "jwks_uri": self.jwks_url}

    def __enter__(self) -> Self:
        """Start serving."""
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and abort running responses."""
        self._listener.stop()

    @property
    def fault(self) -> str | None:
        """The fault of every response, one of `FAULTS`; None if there is no fault."""
        return self._listener.fault

    @fault.setter
    def fault(self, fault: str | None) -> None:
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no such fault: {fault}")
        self._listener.fault = fault

    @property
    def asked(self) -> list[str]:
        """The paths that were fetched, oldest first; a copy."""
        return list(self._listener.asked)

    def rotate(self, alg: str = "ES256") -> SigningKey:
        """Sign with a new key from now on; the others stay published."""
        self.key = SigningKey.make(f"key-{next(self._numbers)}", alg)
        self.published.append(self.key)
        return self.key

    def retire(self, key: SigningKey) -> None:
        """Stop publishing `key`."""
        self.published.remove(key)

    def token(self, sub: str | None = "carol", *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token for `sub`, valid for an hour; `claims` and `headers` override the defaults, and None omits one."""
        header = {"typ": "JWT", "alg": self.key.alg, "kid": self.key.kid, **(headers or {})}
        return jws(_without_nones(header), self.claims(sub, **claims), self.key.sign)

    def claims(self, sub: str | None = "carol", **claims: Any) -> dict[str, Any]:
        """The claims of a token for `sub`; `claims` override the defaults, and None omits one."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": sub, "aud": self.audience, "iat": now, "nbf": now, "exp": now + 3600}
        return _without_nones({**usual, **claims})

    def _document(self, path: str) -> bytes | None:
        keys = {"keys": [*self.extra_keys, *(key.jwk() for key in self.published)]}
        document = {DISCOVERY: self.discovery, JWKS: keys}.get(path)
        return json.dumps(document).encode() if document is not None else None


def _without_nones(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
