"""Unless the operator says for which models, and how much, the platform's own key pays for nobody."""

from tests.integration.app import App
from tests.integration.synced_app import new_user


def test_by_default_it_pays_for_nobody(app: App) -> None:
    app.sync()
    key = {"api_key": "sk-or-v1-" + "fedcba9876543210" * 4}
    assert app.call("POST", "/api/admin/integrations/openrouter", key, scopes="admin").status == 201
    resource = app.resource("owner", visibility="public")
    answer = app.execute(resource["resource_id"], user=new_user())
    assert (answer.status, answer.code) == (409, "credential_missing")
    assert (app.fake.chat_requests, app.table("EXECUTIONS_TABLE")) == ([], [])
