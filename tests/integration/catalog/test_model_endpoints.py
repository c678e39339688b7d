"""Each sync records the endpoints of models in use, and a failure there does not fail the sync."""

from typing import Any

import pytest

from instant.adapters.resources.models_in_use import DynamoModelsInUse
from instant.use_cases.catalog import endpoints as watch_endpoints
from tests.integration.app import Answer, App


def _endpoints(app: App, model: str = "meadow/lark") -> Answer:
    return app.call("GET", f"/api/models/{model}/endpoints", user=None)


def _asked(app: App) -> list[str]:
    return [request.path for request in app.fake.requests if request.path.endswith("/endpoints")]


def _use(app: App, *models: str) -> None:
    app.sync()
    for model in models:
        app.resource(config={"model": model})
    app.fake.forget_requests()


def test_sync_records_endpoints_only_for_models_in_use(app: App) -> None:
    _use(app, "meadow/lark", "~meadow/lark-latest", "meadow/lark")
    assert app.sync()["endpoints_of"] == 2
    assert sorted(_asked(app)) == [
        "/api/v1/models/meadow/lark/endpoints",
        "/api/v1/models/~meadow/lark-latest/endpoints",
    ]
    listed = _endpoints(app).json
    assert (listed["openrouter_id"], len(listed["endpoints"])) == ("meadow/lark", 2)
    best, dearer = listed["endpoints"]
    model = app.call("GET", "/api/models/meadow/lark", user=None).json
    assert (best["pricing"]["prompt"], best["uptime_1d"], best["status"]) == (model["pricing"]["prompt"], "99.7", 0)
    assert float(dearer["pricing"]["prompt"]) > float(best["pricing"]["prompt"])
    for missing in ("meadow/lark-mini", "nobody/none"):
        answer = _endpoints(app, missing)
        assert (answer.status, answer.code) == (404, "not_found")
        assert "resources use" in answer.json["error"]["message"]


def test_endpoint_failure_does_not_fail_the_sync(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(app, "meadow/lark", "meadow/lark-mini")
    app.fake.catalog = [row for row in app.fake.catalog if row["id"] != "meadow/lark"]
    result = app.sync()
    assert (result["outcome"], result["missing"], result["endpoints_of"]) == ("synced", 1, 1)

    def fail(*_: Any) -> Any:
        raise RuntimeError("no index")

    monkeypatch.setattr(DynamoModelsInUse, "most_used", fail)
    assert app.sync()["endpoints_of"] == 0


def test_endpoint_updates_start_with_the_most_used_model(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(app, "meadow/lark", "juniper/atlas-2.1", "juniper/atlas-2.1")
    monkeypatch.setattr(watch_endpoints, "MAX_MODELS", 1)
    app.sync()
    assert _asked(app) == ["/api/v1/models/juniper/atlas-2.1/endpoints"]
    monkeypatch.setattr(watch_endpoints, "_SECONDS_TO_END", 1_000)
    assert app.sync()["endpoints_of"] == 0
