"""POST /api/user/integrations/{service}/test: ask the service whether a stored key still works."""

from instant.adapters.clock import SystemClock
from instant.adapters.integration_store import DynamoIntegrationStore
from instant.adapters.secret_box import KmsKeyOpener
from instant.entrypoints.answers import Connection
from instant.entrypoints.http import api, caller_of, handler_of
from instant.entrypoints.upstream import upstream_of
from instant.entrypoints.views import integration_view
from instant.settings import IntegrationTestSettings
from instant.use_cases.manage_integrations import test_key

settings = IntegrationTestSettings.load()
store = DynamoIntegrationStore(settings.integrations_table)
keys = KmsKeyOpener(settings.credentials_key, settings.stage)
upstream = upstream_of(settings)
app = api()


@app.post("/api/user/integrations/<service>/test")
def test(service: str) -> Connection:
    """Test the caller's stored key with the service's free check."""
    tested = test_key(
        service,
        caller_of(app),
        integrations=store,
        verdicts=store,
        keys=keys,
        upstream=upstream,
        clock=SystemClock(),
    )
    return integration_view(tested)


handler = handler_of(app, settings)
