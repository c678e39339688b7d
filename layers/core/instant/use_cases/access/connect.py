"""Connect a service in the user's browser: PKCE (RFC 7636), with nothing kept here between its two steps.

The client keeps what `begin_connecting` gives it, sends the user to `authorize_url`, checks that the browser came
back with its own `state`, and hands the code that the service gave to `complete_connecting`.
"""

import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlencode

from instant.domain.access.callback import Callback
from instant.domain.access.identity import Identity
from instant.domain.access.integration import Account, AuthorizationRequest, Grant
from instant.domain.errors import (
    CredentialRejected,
    InstantError,
    Internal,
    InvalidField,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.secret import Secret
from instant.integrations import service_named
from instant.integrations.service import Connectable
from instant.ports.upstream import Upstream, ask
from instant.use_cases.access.save_key import KeyDeps, keep_key

EXCHANGE_SECONDS = 10.0
"""How long a service may take to exchange a code for a key."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CODE = re.compile(r"[!-~]{1,512}")
_OPERATOR = "The operator lists them in the template's parameter ConnectCallbackUrls."
_BY_HAND = "Leave it out to have the code shown for copying."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectSettings:
    """Where browsers may be sent: back to `callbacks` alone; `pages` says, by service, which replaces its own."""

    callbacks: Sequence[Callback]
    pages: Mapping[str, str] = field(default_factory=dict)


def begin_connecting(service_name: str, callback_url: str | None, options: ConnectSettings) -> AuthorizationRequest:
    """A fresh verifier and state, and the address at which the user allows the connection."""
    service = _connectable(service_name)
    verifier, state = token_urlsafe(64), token_urlsafe(32)
    callback = None if callback_url is None else _allowed(callback_url, options.callbacks).with_state(state)
    query = service.authorize_query(challenge_of(verifier), callback)
    page = options.pages.get(service.name, service.authorize_page)
    return AuthorizationRequest(
        authorize_url=f"{page}?{urlencode(query)}", state=state if callback else None, verifier=Secret(verifier)
    )


def complete_connecting(
    service_name: str, grant: Grant, max_cost_per_call_nanousd: int | None, caller: Identity, deps: KeyDeps
) -> Account:
    """Exchange the code for a key, then keep it like one that was pasted."""
    service = _connectable(service_name)
    if not _CODE.fullmatch(grant.code.reveal()):
        raise InvalidField.named("code", "must be the code as the service gave it, at most 512 characters")
    if not _VERIFIER.fullmatch(grant.verifier.reveal()):
        raise InvalidField.named("code_verifier", f"must be the one that {_route(service)} gave, unchanged")
    key = _exchanged(grant, service, deps.upstream)
    try:
        return keep_key(key, service, max_cost_per_call_nanousd, caller, deps)
    except Exception as error:
        raise _lost(error, service) from error


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _connectable(name: str) -> Connectable:
    service = service_named(name)
    if not isinstance(service, Connectable):
        raise NotFound(f"{name} cannot be connected in a browser. Save a key: POST /api/user/integrations/{name}.")
    return service


def _allowed(url: str, places: Sequence[Callback]) -> Callback:
    """The callback, if the operator named its place."""
    try:
        callback = Callback.parse(url)
    except ValueError as error:
        raise InvalidField.named("callback_url", f"{error}. {_BY_HAND}") from None
    if not places:
        raise InvalidField.named("callback_url", f"no callback is allowed here yet. {_OPERATOR} {_BY_HAND}")
    if not any(callback.is_at(place) for place in places):
        raise InvalidField.named("callback_url", f"is not an allowed one, exactly. {_OPERATOR} {_BY_HAND}")
    return callback


def _exchanged(grant: Grant, service: Connectable, upstream: Upstream) -> Secret:
    """The key for the code. Unless the service plainly said no, the code may be used up by a lost answer."""
    try:
        key = service.read_exchange(ask(upstream, service.exchange(grant), seconds=EXCHANGE_SECONDS))
        if not service.key_shape.fullmatch(key.reveal()):
            raise UpstreamError("The service gave something that is not a key.")
    except CredentialRejected:
        message = f"The code is used up, too old, or not of this code_verifier. Start over: {_route(service)}."
        raise CredentialRejected(message) from None
    except (RateLimited, UpstreamUnavailable):
        raise
    except InstantError as error:
        message = f"{service.name} gave no readable answer, and the code may be used up. Start over: {_route(service)}."
        raise OutcomeUnknown(f"{message} Revoke there what you do not need.") from error
    return key


def _lost(error: Exception, service: Connectable) -> InstantError:
    """A key was made, is not kept, and the code cannot be used again; the same call never succeeds."""
    advice = f"Revoke it at {service.name}, then start over: {_route(service)}."
    if isinstance(error, CredentialRejected):
        return CredentialRejected(f"{service.name} made a key that does not work, so it was not kept. {advice}")
    if isinstance(error, InstantError):
        return UpstreamError(f"{service.name} made a key that could not be checked, so it was not kept. {advice}")
    _log.error("a key that was given out could not be kept", exc_info=error)
    return Internal(f"Something failed on our side, and the new key may be lost. {advice}")


def _route(service: Connectable) -> str:
    return f"POST /api/user/integrations/{service.name}/connect"
