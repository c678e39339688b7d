"""/api/user/integrations/{service}: take users' keys in, show what is known of them, forget them."""

from decimal import Decimal

from aws_lambda_powertools.event_handler import Response

from instant.adapters.clock import SystemClock
from instant.adapters.integration_store import DynamoIntegrationStore
from instant.adapters.secret_box import KmsKeySealer
from instant.adapters.upstream import HttpUpstream
from instant.domain.money import to_nanousd
from instant.entrypoints.answers import Connection
from instant.entrypoints.bodies import IntegrationChanges, NewIntegration
from instant.entrypoints.http import api, caller_of, handler_of, no_content
from instant.entrypoints.views import integration_view
from instant.integrations.openrouter.wire import BASE_URL
from instant.settings import IntegrationsSettings
from instant.use_cases import manage_integrations as manage

settings = IntegrationsSettings.load()
doors = manage.Doors(
    integrations=DynamoIntegrationStore(settings.integrations_table),
    keys=KmsKeySealer(settings.credentials_key, settings.stage),
    upstream=HttpUpstream({BASE_URL: settings.openrouter_base_url}),
    clock=SystemClock(),
)
app = api()


@app.get("/api/user/integrations/<service>")
def show(service: str) -> Connection:
    """The caller's connection, without its key."""
    return integration_view(manage.read_integration(service, caller_of(app), doors.integrations))


@app.post("/api/user/integrations/<service>", status_code=201)
def save(service: str, body: NewIntegration) -> Connection:
    """Connect a key, or replace the one before."""
    cap = _nanousd(body.max_cost_per_call_usd)
    return integration_view(manage.save_key(service, body.api_key, cap, caller_of(app), doors))


@app.patch("/api/user/integrations/<service>")
def change(service: str, body: IntegrationChanges) -> Connection:
    """Switch a key on or off, or set what one call may cost."""
    changed = manage.configure_integration(
        service,
        is_enabled=body.is_enabled,
        max_cost_per_call_nanousd=_nanousd(body.max_cost_per_call_usd),
        caller=caller_of(app),
        integrations=doors.integrations,
    )
    return integration_view(changed)


@app.delete("/api/user/integrations/<service>", status_code=204)
def delete(service: str) -> Response[None]:
    """Forget a key."""
    manage.delete_integration(service, caller_of(app), doors.integrations)
    return no_content()


def _nanousd(usd: Decimal | None) -> int | None:
    return None if usd is None else to_nanousd(usd)


handler = handler_of(app)
