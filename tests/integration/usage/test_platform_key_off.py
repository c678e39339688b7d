"""The platform's key pays for no user unless the operator configures its models and limits."""

from tests.integration.app import App
from tests.integration.synced_app import new_user


def test_platform_key_is_off_by_default(app: App) -> None:
    app.sync()
    key = {"api_key": "sk-or-v1-" + "fedcba9876543210" * 4}
    assert app.call("POST", "/api/admin/integrations/openrouter", key, scopes="admin").status == 201
    resource = app.resource("owner", visibility="public")
    answer = app.execute(resource["resource_id"], user=new_user())
    assert (answer.status, answer.code) == (409, "credential_missing")
    assert (app.fake.chat_requests, app.table("EXECUTIONS_TABLE")) == ([], [])
