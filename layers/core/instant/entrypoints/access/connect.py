"""Connecting an integration in the browser: the bodies that routes take, and what they answer."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.domain.access.integration import AuthorizationRequest
from instant.domain.secret import Secret
from instant.entrypoints.http.fields import Body, Text, UsdAmount


class ConnectBody(Body):
    """Where the browser comes back to; without it the service shows the code for copying."""

    callback_url: Text | None = Field(
        None, description="One of the template's ConnectCallbackUrls, with a query if you like."
    )


class CompleteBody(Body):
    """What the service gave the browser, and the verifier that was kept; what one call may cost in USD."""

    code: Secret
    code_verifier: Secret
    max_cost_per_call_usd: UsdAmount | None = None


class AuthorizationView(TypedDict):
    """What the client keeps, for itself, until the browser is back."""

    authorize_url: Annotated[str, Field(description="Open it in the user's browser.")]
    state: Annotated[
        str | None, Field(description="Compare it with `state` where the browser comes back; null: no callback.")
    ]
    code_verifier: Annotated[str, Field(description="A secret of this client's until the code is exchanged.")]


def authorization_view(authorization: AuthorizationRequest) -> AuthorizationView:
    """What the client keeps; nothing of it stays here."""
    return {
        "authorize_url": authorization.authorize_url,
        "state": authorization.state,
        "code_verifier": authorization.verifier.reveal(),
    }
