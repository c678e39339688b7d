"""The caller's identity and scopes."""

from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from instant.domain.errors import Forbidden


class Scope(StrEnum):
    """Permissions of a token: execute resources, read or manage the user's own data, administer the platform."""

    EXECUTE = "execute"
    READ = "read"
    MANAGE = "manage"
    ADMIN = "admin"


_INCLUDES = {Scope.MANAGE: Scope.READ, Scope.ADMIN: Scope.READ}
"""A scope that changes data also reads it; no scope includes execute, which spends money."""


def with_included(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names, and those that they include; names that this version does not know give nothing.

    Keys that were stored before `read` existed get it here.
    """
    held = frozenset(Scope(name) for name in names if name in Scope)
    return held | {_INCLUDES[scope] for scope in held & _INCLUDES.keys()}


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, as authenticated by the authorizer; `key_id` is set when an API key was used.

    `expires_at` is the expiry time of the key or token; None: it does not expire. An empty `namespace` is the user's.
    """

    user_id: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    expires_at: str | None = field(default=None, compare=False)
    namespace: str = ""

    @property
    def idempotency_namespace(self) -> str:
        """Whose idempotency keys are compared with the caller's: the user's, or those of its API key alone."""
        return self.namespace or self.user_id

    def require(self, *scopes: Scope) -> None:
        """Raise `Forbidden` unless the token has one of `scopes`."""
        if self.scopes.isdisjoint(scopes):
            listed = " or ".join(f"'{scope}'" for scope in scopes)
            raise Forbidden(f"This needs the scope {listed}. Use an API key or access token that has it.")

    @property
    def reads_all(self) -> bool:
        """Whether the token may read all of its user's data; otherwise only what its own key executed."""
        return Scope.READ in self.scopes

    def may_read_settings(self, owner_id: str) -> bool:
        """Whether the token may read the settings and the costs of a resource of this owner."""
        return self.reads_all and self.user_id == owner_id


def handle_of(user_id: str) -> str:
    """The default handle in a user's resource addresses: `u` and 12 characters."""
    return "u" + b32encode(sha256(user_id.encode()).digest()).decode()[:12].lower()
