"""An API key with the scope execute alone reads what it executed, and resources without their settings."""

from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.media import PAINTER

SECRET = "Always answer in the voice of a lighthouse keeper."


def _as_key(app: App, path: str, key_id: str | None = "key_one", **more: Any) -> Answer:
    return app.call("GET", path, scopes="execute", key_id=key_id, **more)


def _executed(app: App, resource_id: str, key_id: str | None) -> str:
    body = {"resource_id": resource_id, "inputs": {"prompt": "Say hello."}}
    return str(app.call("POST", "/api/execute", body, scopes="execute", key_id=key_id).json["execution_id"])


def test_execute_key_reads_own_resources_without_settings(seeded: App) -> None:
    made = seeded.resource(config={"system_prompt": SECRET}, successor_policy="none")
    path = f"/api/resources/{made['resource_id']}"
    shown, full = _as_key(seeded, path), seeded.call("GET", path, scopes="read")
    assert shown.status == full.status == 200
    assert full.json["config"]["system_prompt"] == SECRET
    hidden = {"config", "successor_policy", "successor", "affected_models"}
    assert full.json.keys() - shown.json.keys() == hidden
    assert full.json["stats"].keys() - shown.json["stats"].keys() == {"cost_usd_30d"}
    assert shown.json["inputs_schema"] == full.json["inputs_schema"]


@pytest.mark.parametrize("query", [{}, {"listing": "public"}])
def test_execute_key_lists_resources_without_settings(seeded: App, query: dict[str, str]) -> None:
    made = seeded.resource(config={"system_prompt": SECRET}, visibility="public")
    listed = _as_key(seeded, "/api/resources", query=query)
    assert [row["resource_id"] for row in listed.json["data"]] == [made["resource_id"]]
    assert SECRET not in listed.text


def test_affected_resources_require_the_read_scope(seeded: App) -> None:
    answer = _as_key(seeded, "/api/resources", query={"affected": "true"})
    assert (answer.status, answer.code) == (403, "forbidden")


def test_execute_key_lists_its_own_executions_in_full_pages(seeded: App) -> None:
    resource_id = seeded.resource()["resource_id"]
    mine = []
    for _ in range(3):
        mine.append(_executed(seeded, resource_id, "key_one"))
        _executed(seeded, resource_id, "key_two")
        _executed(seeded, resource_id, None)
    first = _as_key(seeded, "/api/executions", query={"limit": "2"}).json
    second = _as_key(seeded, "/api/executions", query={"limit": "2", "cursor": first["next_cursor"]}).json
    pages = [[row["execution_id"] for row in page["data"]] for page in (first, second)]
    assert pages == [[mine[2], mine[1]], [mine[0]]]
    assert second["next_cursor"] is None
    assert len(seeded.call("GET", "/api/executions", scopes="read", key_id="key_one").json["data"]) == 9


def test_execute_key_of_another_user_lists_nothing(seeded: App) -> None:
    _executed(seeded, seeded.resource()["resource_id"], "key_one")
    assert _as_key(seeded, "/api/executions", "key_bob", user="bob").json["data"] == []


def test_execute_scope_without_a_key_lists_nothing(seeded: App) -> None:
    execution_id = _executed(seeded, seeded.resource()["resource_id"], None)
    assert _as_key(seeded, "/api/executions", None).json["data"] == []
    assert _as_key(seeded, f"/api/executions/{execution_id}", None).status == 404


def test_execution_of_another_key_returns_not_found(seeded: App) -> None:
    execution_id = _executed(seeded, seeded.resource()["resource_id"], "key_one")
    path = f"/api/executions/{execution_id}"
    assert _as_key(seeded, path).json["output"]["content"]
    foreign = _as_key(seeded, path, "key_two")
    assert (foreign.status, foreign.text) == (404, _as_key(seeded, "/api/executions/exe_0").text)
    assert seeded.call("GET", path, scopes="read", key_id="key_two").status == 200


def test_image_of_another_key_returns_not_found(seeded: App) -> None:
    painter = seeded.resource(config={"model": PAINTER})
    body = {"resource_id": painter["resource_id"], "inputs": {"prompt": "A boat."}}
    painted = seeded.call("POST", "/api/execute", body, scopes="execute", key_id="key_one").json
    path = "/api/images/" + painted["output"]["urls"][0].rpartition("/")[2]
    assert _as_key(seeded, path).status == 302
    foreign = _as_key(seeded, path, "key_two")
    assert (foreign.status, foreign.text) == (404, _as_key(seeded, "/api/images/img_0").text)
    assert seeded.call("GET", path, scopes="manage", key_id="key_two").status == 302
