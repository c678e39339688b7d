"""Unless the operator says for which models, and how much, the platform's own key pays for nobody."""

from tests.integration.guests import new_user
from tests.integration.house import House


def test_by_default_it_pays_for_nobody(house: House) -> None:
    house.sync()
    key = {"api_key": "sk-or-v1-" + "fedcba9876543210" * 4}
    assert house.call("POST", "/api/admin/integrations/openrouter", key, scopes="admin").status == 201
    resource = house.resource("owner", visibility="public")
    answer = house.execute(resource["resource_id"], user=new_user())
    assert (answer.status, answer.code) == (409, "credential_missing")
    assert (house.fake.chat_requests, house.table("EXECUTIONS_TABLE")) == ([], [])
