"""FakeIssuer: an OpenID Connect issuer on loopback that signs real tokens, for tests and the local stack.

    with FakeIssuer() as issuer:
        parameters = {"JwtIssuer": issuer.url, "JwtAudience": issuer.audience}
        headers = {"Authorization": f"Bearer {issuer.token('carol')}"}

`issuer.token(sub, **claims)` is a good token with these claims over the usual ones (None leaves one out);
`issuer.rotate()` signs with a new key from now on, `issuer.retire(key)` stops publishing one,
`issuer.fault = "down"` (or another of `FAULTS`) spoils every answer until it is None again, and
`issuer.asked` lists the paths that were fetched. `BAD_TOKENS` makes tokens that nobody may accept, by what is wrong.
"""

from tests.fakes.issuer.forgeries import BAD_TOKENS
from tests.fakes.issuer.server import FAULTS, FakeIssuer
from tests.fakes.issuer.signing import SigningKey, jws

__all__ = ["BAD_TOKENS", "FAULTS", "FakeIssuer", "SigningKey", "jws"]
