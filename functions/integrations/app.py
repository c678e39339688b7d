"""/api/user/integrations/{service}: store a user's key (pasted or by PKCE), show its status, delete it."""

from aws_lambda_powertools.event_handler import Response

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeySealer
from instant.adapters.clock import SystemClock
from instant.domain.access.callback import places
from instant.domain.access.integration import Grant
from instant.domain.money import to_nanousd
from instant.entrypoints.access.connect import AuthorizationView, CompleteBody, ConnectBody, authorization_view
from instant.entrypoints.access.integrations import Integration, IntegrationChanges, NewIntegration, integration_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.responses import no_content
from instant.entrypoints.upstream import upstream_of
from instant.settings import IntegrationsSettings
from instant.use_cases.access import connect as connecting
from instant.use_cases.access import integrations as manage
from instant.use_cases.access.save_key import KeyDeps

settings = IntegrationsSettings.load()
deps = KeyDeps(
    integrations=DynamoIntegrationStore(settings.integrations_table),
    keys=KmsKeySealer(settings.credentials_key, settings.stage),
    upstream=upstream_of(settings),
    clock=SystemClock(),
)
options = connecting.ConnectSettings(callbacks=places(settings.connect_callback_urls), pages=settings.authorize_pages)
app = api()


@app.get("/api/user/integrations/<service>")
def show(service: str) -> Integration:
    """Get the caller's integration, without its key."""
    return integration_view(manage.read_integration(service, caller_of(app), deps.integrations))


@app.post("/api/user/integrations/<service>", status_code=201)
def save(service: str, body: NewIntegration) -> Integration:
    """Store or replace a key."""
    cap = to_nanousd(body.max_cost_per_call_usd)
    return integration_view(manage.save_key(service, body.api_key, cap, caller_of(app), deps))


@app.post("/api/user/integrations/<service>/connect")
def connect(service: str, body: ConnectBody) -> AuthorizationView:
    """Begin to connect in the user's browser (PKCE); nothing is stored.

    Store `state` and `code_verifier`, and open `authorize_url`; the user can set a limit for the key there. The browser
    is redirected to the callback with `state` and `code`. Compare `state` with the stored one, and discard the code if
    they differ. Otherwise send the code to `connect/complete` within ten minutes. Without `callback_url`, the service
    shows the code to the user.
    """
    return authorization_view(connecting.begin_connecting(service, body.callback_url, options))


@app.post("/api/user/integrations/<service>/connect/complete", status_code=201)
def complete(service: str, body: CompleteBody) -> Integration:
    """Exchange the browser's code for a key, test it and store it like one that was pasted.

    A code can be used once. After any error except 422, 429 and 503, start again with `connect`.
    """
    grant = Grant(code=body.code, verifier=body.code_verifier)
    cap = to_nanousd(body.max_cost_per_call_usd)
    return integration_view(connecting.complete_connecting(service, grant, cap, caller_of(app), deps))


@app.patch("/api/user/integrations/<service>")
def change(service: str, body: IntegrationChanges) -> Integration:
    """Enable or disable a key, or set the maximum cost per call."""
    changed = manage.configure_integration(
        service,
        is_enabled=body.is_enabled,
        max_cost_per_call_nanousd=to_nanousd(body.max_cost_per_call_usd),
        caller=caller_of(app),
        integrations=deps.integrations,
    )
    return integration_view(changed)


@app.delete("/api/user/integrations/<service>", status_code=204)
def delete(service: str) -> Response[None]:
    """Delete a key."""
    manage.delete_integration(service, caller_of(app), deps.integrations)
    return no_content()


handler = handler_of(app, settings)
