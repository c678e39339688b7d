"""/api/admin/integrations/{service}: the platform's own keys, used for callers without one."""

from aws_lambda_powertools.event_handler import Response

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeySealer
from instant.adapters.clock import SystemClock
from instant.domain.access.identity import Identity
from instant.domain.money import to_nanousd
from instant.entrypoints.access.integrations import Integration, IntegrationChanges, NewIntegration, integration_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.responses import no_content
from instant.entrypoints.upstream import upstream_of
from instant.settings import PlatformIntegrationsSettings
from instant.use_cases.access import integrations as manage
from instant.use_cases.access.save_key import KeyDeps

settings = PlatformIntegrationsSettings.load()
deps = KeyDeps(
    integrations=DynamoIntegrationStore(settings.integrations_table),
    keys=KmsKeySealer(settings.credentials_key, settings.stage),
    upstream=upstream_of(settings),
    clock=SystemClock(),
)
app = api()


@app.get("/api/admin/integrations/<service>")
def show(service: str) -> Integration:
    """Get the platform's integration, without its key."""
    return integration_view(manage.read_integration(service, _platform(), deps.integrations))


@app.post("/api/admin/integrations/<service>", status_code=201)
def save(service: str, body: NewIntegration) -> Integration:
    """Store or replace the key that the platform pays with.

    The template parameters PlatformModels, PlatformDailyUsd and PlatformDailyUsdEach control its use: without them, it
    is never used. Create a key for this purpose only, and set a limit for it at the service.
    """
    cap = to_nanousd(body.max_cost_per_call_usd)
    return integration_view(manage.save_key(service, body.api_key, cap, _platform(), deps))


@app.patch("/api/admin/integrations/<service>")
def change(service: str, body: IntegrationChanges) -> Integration:
    """Enable or disable the platform's key, or set its maximum cost per call."""
    changed = manage.configure_integration(
        service,
        is_enabled=body.is_enabled,
        max_cost_per_call_nanousd=to_nanousd(body.max_cost_per_call_usd),
        caller=_platform(),
        integrations=deps.integrations,
    )
    return integration_view(changed)


@app.delete("/api/admin/integrations/<service>", status_code=204)
def delete(service: str) -> Response[None]:
    """Delete the platform's key."""
    manage.delete_integration(service, _platform(), deps.integrations)
    return no_content()


def _platform() -> Identity:
    return manage.for_the_platform(caller_of(app))


handler = handler_of(app, settings)
