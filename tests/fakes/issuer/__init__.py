"""FakeIssuer: an OpenID Connect issuer on 127.0.0.1 that signs valid tokens, for tests and the local stack.

    with FakeIssuer() as issuer:
        parameters = {"JwtIssuer": issuer.url, "JwtAudience": issuer.audience}
        headers = {"Authorization": f"Bearer {issuer.token('carol')}"}

`issuer.token(sub, **claims)` returns a valid token; `claims` override the default claims, and None omits one.
`issuer.rotate()` signs with a new key from now on, `issuer.retire(key)` stops publishing a key,
`issuer.fault = "down"` (or another of `FAULTS`) breaks every response until it is None again, and
`issuer.asked` lists the paths that were fetched. `BAD_TOKENS` creates invalid tokens, by defect.
"""

from tests.fakes.issuer.bad_tokens import BAD_TOKENS
from tests.fakes.issuer.server import FAULTS, FakeIssuer
from tests.fakes.issuer.signing import SigningKey, jws

__all__ = ["BAD_TOKENS", "FAULTS", "FakeIssuer", "SigningKey", "jws"]
