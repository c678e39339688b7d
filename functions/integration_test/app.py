"""POST …/integrations/{service}/test: test whether a user's or the platform's stored key is still valid."""

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.access.secret_box import KmsKeyOpener
from instant.adapters.clock import SystemClock
from instant.domain.access.identity import Identity
from instant.entrypoints.access.integrations import Integration, integration_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.upstream import upstream_of
from instant.settings import IntegrationTestSettings
from instant.use_cases.access.integrations import for_the_platform, test_key

settings = IntegrationTestSettings.load()
store = DynamoIntegrationStore(settings.integrations_table)
keys = KmsKeyOpener(settings.credentials_key, settings.stage)
upstream = upstream_of(settings)
app = api()


@app.post("/api/user/integrations/<service>/test")
def test(service: str) -> Integration:
    """Test the caller's stored key with the service's free check."""
    return _tested(service, caller_of(app))


@app.post("/api/admin/integrations/<service>/test")
def test_platform(service: str) -> Integration:
    """Test the platform's stored key with the service's free check."""
    return _tested(service, for_the_platform(caller_of(app)))


def _tested(service: str, caller: Identity) -> Integration:
    tested = test_key(
        service, caller, integrations=store, key_status=store, keys=keys, upstream=upstream, clock=SystemClock()
    )
    return integration_view(tested)


handler = handler_of(app, settings)
