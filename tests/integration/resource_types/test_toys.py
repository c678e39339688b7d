"""A toy integration and a toy resource type work end to end once they are registered."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.integrations import INTEGRATIONS
from instant.resource_types import RESOURCE_TYPES
from tests.integration.app import Answer, App
from tests.integration.resource_types.toy_service import KEY, Service, serving
from tests.integration.synced_app import MODEL
from tests.toys.megaphone import Megaphone
from tests.toys.shout import Shout

PATH = "/api/user/integrations/megaphone"


@pytest.fixture
def service() -> Iterator[type[Service]]:
    with serving() as started:
        yield started


@pytest.fixture
def toys(app: App, service: Any, monkeypatch: pytest.MonkeyPatch) -> App:
    """An app with a catalog and both toys registered."""
    app.sync()
    app.fake.forget_requests()
    monkeypatch.setitem(INTEGRATIONS, "megaphone", Megaphone(service.url))
    monkeypatch.setitem(RESOURCE_TYPES, "shout", Shout())
    return app


def _create(app: App, **config: Any) -> Answer:
    body = {"resource_type": "shout", "name": "Town crier", "config": {"model": MODEL, "loudness": 3, **config}}
    return app.call("POST", "/api/resources", body)


def _shout(app: App, resource_id: str, **inputs: Any) -> Answer:
    return app.call("POST", "/api/execute", {"resource_id": resource_id, "inputs": inputs or {"words": "hear ye"}})


def _connect(app: App, key: str = KEY, **more: Any) -> Answer:
    return app.call("POST", PATH, {"api_key": key, **more})


def test_unregistered_toys_are_rejected(app: App) -> None:
    app.sync()
    assert _connect(app).status == 404
    assert _create(app).json["error"]["details"]["field"] == "resource_type"


def test_toy_type_is_listed_with_its_schemas(toys: App) -> None:
    kinds = {kind["name"]: kind for kind in toys.call("GET", "/api/resource-types").json["data"]}
    assert set(kinds) == {*RESOURCE_TYPES}
    assert (kinds["shout"]["integration"], kinds["shout"]["description"]) == ("megaphone", "Says it louder.")
    assert set(kinds["shout"]["config_schema"]["properties"]) == {"model", "loudness"}
    assert set(kinds["shout"]["inputs_schema"]["properties"]) == {"words"}


def test_toy_service_key_is_connected_tested_and_deleted(toys: App, service: type[Service]) -> None:
    for key, status in (("mega-1", 422), ("sk-or-v1-0123456789abcdef", 422), ("mega-unknown1", 409)):
        assert _connect(toys, key).status == status
        assert toys.table("INTEGRATIONS_TABLE") == []
    saved = _connect(toys)
    assert saved.status == 201
    facts = ("service", "hint", "label", "limit_remaining_usd", "status")
    assert [saved.json[name] for name in facts] == ["megaphone", "5678", "Alice", "3.5", "ok"]
    assert [(line, key) for line, key, _ in service.asked] == [("GET /me", "mega-unknown1"), ("GET /me", KEY)]
    assert KEY not in repr(toys.table("INTEGRATIONS_TABLE"))
    assert toys.call("POST", f"{PATH}/test").json["status"] == "ok"
    service.known_keys.clear()
    assert toys.call("POST", f"{PATH}/test").code == "credential_rejected"
    assert toys.call("GET", PATH).json["status"] == "broken"
    assert toys.call("DELETE", PATH).status == 204
    assert toys.call("GET", PATH).status == 404
    assert toys.fake.requests == []


def test_toy_type_runs_from_creation_to_history(toys: App, service: type[Service]) -> None:
    assert _create(toys, loudness=12).json["error"]["details"]["field"] == "config.loudness"
    assert _create(toys, echo=True).json["error"]["details"]["field"] == "config.echo"
    refused = _create(toys, model="meadow/lark-mini", loudness=6)
    assert refused.json["error"]["message"] == "config.loudness: meadow/lark-mini goes to 5"
    resource = _create(toys).json
    assert (resource["resource_type"], resource["config"]) == ("shout", {"model": MODEL, "loudness": 3})

    missing = _shout(toys, resource["resource_id"])
    assert (missing.code, PATH in missing.json["error"]["message"]) == ("credential_missing", True)
    _connect(toys)
    assert _shout(toys, resource["resource_id"], prompt="x").json["error"]["details"]["field"] == "inputs.words"
    answer = _shout(toys, resource["resource_id"])
    assert (answer.status, answer.json["output"]) == (200, {"type": "text", "content": "HEAR YE!!!"})
    assert answer.json["usage"]["cost_usd"] == "0.000123"
    (line, key, sent) = service.asked[-1]
    assert (line, key, sent["words"], sent["loudness"]) == ("POST /shouts", KEY, "hear ye", 3)
    assert "alice" not in sent["user"]

    record = toys.call("GET", f"/api/executions/{answer.json['execution_id']}").json
    assert (record["status"], record["output"], record["generation_id"]) == ("DONE", answer.json["output"], "shout-1")
    detail = toys.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert (detail["stats"]["call_count"], detail["stats"]["cost_usd_30d"]) == (1, "0.000123")
    assert set(detail["inputs_schema"]["properties"]) == {"words"}
    assert toys.fake.requests == []


def test_toy_execution_respects_cost_cap_and_rejected_key(toys: App, service: type[Service]) -> None:
    loud = _create(toys, loudness=11).json["resource_id"]
    _connect(toys, max_cost_per_call_usd="0.01")
    asked = len(service.asked)
    capped = _shout(toys, loud)
    assert (capped.code, capped.json["error"]["details"]["worst_case_usd"]) == ("cost_cap", "0.011")
    assert len(service.asked) == asked
    assert toys.call("PATCH", PATH, {"max_cost_per_call_usd": "0.011"}).status == 200
    assert _shout(toys, loud).status == 200
    service.known_keys.clear()
    assert _shout(toys, loud).code == "credential_rejected"
    assert toys.call("GET", PATH).json["status"] == "broken"
    asked = len(service.asked)
    assert _shout(toys, loud).code == "credential_rejected"
    assert len(service.asked) == asked
