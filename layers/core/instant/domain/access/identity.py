"""Who is calling, and what they may do."""

from base64 import b32encode
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from instant.domain.errors import Forbidden


class Scope(StrEnum):
    """What a token allows: calling resources, managing one's own things, running the platform."""

    EXECUTE = "execute"
    MANAGE = "manage"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller as the authorizer established it: `key_id` if it was by an API key, and until when that is good.

    `expires_at` is a stamp; None has no end.
    """

    user_id: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    expires_at: str | None = field(default=None, compare=False)

    def require(self, scope: Scope) -> None:
        """Refuse the call unless the token carries `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope '{scope}'. Use an API key or access token that has it.")


def handle_of(user_id: str) -> str:
    """The first half of a user's resource addresses, until they claim a nicer one: `u` and 12 characters."""
    return "u" + b32encode(sha256(user_id.encode()).digest()).decode()[:12].lower()
