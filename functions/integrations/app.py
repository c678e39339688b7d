"""/api/user/integrations/{service}: take users' keys in, show what is known of them, forget them."""

from decimal import Decimal
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from instant.adapters.clock import SystemClock
from instant.adapters.integration_store import DynamoIntegrationStore
from instant.adapters.secret_box import KmsKeySealer
from instant.adapters.upstream import HttpUpstream
from instant.domain.errors import InvalidField
from instant.domain.money import to_nanousd
from instant.domain.secret import Secret
from instant.entrypoints.http import Body, api, caller_of, handler_of, no_content
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

type Cap = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=15, decimal_places=9)]


class NewKey(Body):
    """A key to connect, and what one call with it may cost in USD."""

    api_key: Secret
    max_cost_per_call_usd: Cap | None = None


class Changes(Body):
    """Settings of a connection; those left out stay."""

    is_enabled: bool | None = None
    max_cost_per_call_usd: Cap | None = None


@app.get("/api/user/integrations/<service>")
def show(service: str) -> dict[str, Any]:
    """The caller's connection, without its key."""
    return integration_view(manage.read_integration(service, caller_of(app), doors.integrations))


@app.post("/api/user/integrations/<service>", status_code=201)
def save(service: str, body: NewKey) -> dict[str, Any]:
    """Connect a key, or replace the one before."""
    cap = _nanousd(body.max_cost_per_call_usd)
    return integration_view(manage.save_key(service, body.api_key, cap, caller_of(app), doors))


@app.patch("/api/user/integrations/<service>")
def change(service: str, body: Changes) -> dict[str, Any]:
    """Switch a key on or off, or set what one call may cost."""
    if body.is_enabled is None and body.max_cost_per_call_usd is None:
        raise InvalidField.named("body", "send is_enabled, max_cost_per_call_usd, or both")
    changed = manage.configure_integration(
        service,
        is_enabled=body.is_enabled,
        max_cost_per_call_nanousd=_nanousd(body.max_cost_per_call_usd),
        caller=caller_of(app),
        integrations=doors.integrations,
    )
    return integration_view(changed)


@app.delete("/api/user/integrations/<service>")
def delete(service: str) -> Response[None]:
    """Forget a key."""
    manage.delete_integration(service, caller_of(app), doors.integrations)
    return no_content()


def _nanousd(usd: Decimal | None) -> int | None:
    return None if usd is None else to_nanousd(usd)


handler = handler_of(app)
