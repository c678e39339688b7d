"""Connecting an integration in the browser: request and response bodies."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.domain.access.integration import AuthorizationRequest
from instant.domain.secret import Secret
from instant.entrypoints.http.fields import Body, Text, UsdAmount


class ConnectBody(Body):
    """The callback URL; without it the service shows the code for copying."""

    callback_url: Text | None = Field(
        None, description="One of the template's ConnectCallbackUrls, optionally with a query string."
    )


class CompleteBody(Body):
    """The code from the service, the verifier that the client kept, and the cap per call in USD."""

    code: Secret
    code_verifier: Secret
    max_cost_per_call_usd: UsdAmount | None = None


class AuthorizationView(TypedDict):
    """The values that the client keeps until the browser returns."""

    authorize_url: Annotated[str, Field(description="Open it in the user's browser.")]
    state: Annotated[str | None, Field(description="Compare it with `state` at the callback; null without a callback.")]
    code_verifier: Annotated[
        str, Field(description="A secret: the client must keep it private until the code is exchanged.")
    ]


def authorization_view(authorization: AuthorizationRequest) -> AuthorizationView:
    """The values for the client; none of them is stored here."""
    return {
        "authorize_url": authorization.authorize_url,
        "state": authorization.state,
        "code_verifier": authorization.verifier.reveal(),
    }
