"""The caller's identity and scopes."""

from base64 import b32encode
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from instant.domain.errors import Forbidden


class Scope(StrEnum):
    """Permissions of a token: execute resources, manage the caller's own data, administer the platform."""

    EXECUTE = "execute"
    MANAGE = "manage"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, as authenticated by the authorizer; `key_id` is set when an API key was used.

    `expires_at` is the expiry time of the key or token; None: it does not expire.
    """

    user_id: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    expires_at: str | None = field(default=None, compare=False)

    def require(self, scope: Scope) -> None:
        """Raise `Forbidden` unless the token has `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope '{scope}'. Use an API key or access token that has it.")


def handle_of(user_id: str) -> str:
    """The default handle in a user's resource addresses: `u` and 12 characters."""
    return "u" + b32encode(sha256(user_id.encode()).digest()).decode()[:12].lower()
