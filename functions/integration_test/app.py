"""POST /api/user/integrations/{service}/test: test whether a stored key is still valid."""

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeyOpener
from instant.adapters.clock import SystemClock
from instant.entrypoints.access.integrations import Integration, integration_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.upstream import upstream_of
from instant.settings import IntegrationTestSettings
from instant.use_cases.access.integrations import test_key

settings = IntegrationTestSettings.load()
store = DynamoIntegrationStore(settings.integrations_table)
keys = KmsKeyOpener(settings.credentials_key, settings.stage)
upstream = upstream_of(settings)
app = api()


@app.post("/api/user/integrations/<service>/test")
def test(service: str) -> Integration:
    """Test the caller's stored key with the service's free check."""
    tested = test_key(
        service,
        caller_of(app),
        integrations=store,
        key_status=store,
        keys=keys,
        upstream=upstream,
        clock=SystemClock(),
    )
    return integration_view(tested)


handler = handler_of(app, settings)
