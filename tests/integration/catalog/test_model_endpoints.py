"""Who serves the models that resources use is asked with each sync, and whatever fails there fails nothing else."""

from typing import Any

import pytest

from instant.adapters.resources.models_in_use import DynamoModelsInUse
from instant.use_cases.catalog import endpoints as watch_endpoints
from tests.integration.house import Answer, House


def _endpoints(house: House, model: str = "meadow/lark") -> Answer:
    return house.call("GET", f"/api/models/{model}/endpoints", user=None)


def _asked(house: House) -> list[str]:
    return [request.path for request in house.fake.requests if request.path.endswith("/endpoints")]


def _use(house: House, *models: str) -> None:
    house.sync()
    for model in models:
        house.resource(config={"model": model})
    house.fake.forget_requests()


def test_the_endpoints_of_models_in_use_are_known_and_of_no_others(house: House) -> None:
    _use(house, "meadow/lark", "~meadow/lark-latest", "meadow/lark")
    assert house.sync()["endpoints_of"] == 2
    assert sorted(_asked(house)) == [
        "/api/v1/models/meadow/lark/endpoints",
        "/api/v1/models/~meadow/lark-latest/endpoints",
    ]
    told = _endpoints(house).json
    assert (told["openrouter_id"], len(told["endpoints"])) == ("meadow/lark", 2)
    best, dearer = told["endpoints"]
    model = house.call("GET", "/api/models/meadow/lark", user=None).json
    assert (best["pricing"]["prompt"], best["uptime_1d"], best["status"]) == (model["pricing"]["prompt"], "99.7", 0)
    assert float(dearer["pricing"]["prompt"]) > float(best["pricing"]["prompt"])
    for missing in ("meadow/lark-mini", "nobody/none"):
        answer = _endpoints(house, missing)
        assert (answer.status, answer.code) == (404, "not_found")
        assert "resources use" in answer.json["error"]["message"]


def test_a_sync_is_a_sync_whatever_becomes_of_the_endpoints(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(house, "meadow/lark", "meadow/lark-mini")
    house.fake.catalog = [row for row in house.fake.catalog if row["id"] != "meadow/lark"]
    result = house.sync()
    assert (result["outcome"], result["missing"], result["endpoints_of"]) == ("synced", 1, 1)

    def fail(*_: Any) -> Any:
        raise RuntimeError("no index")

    monkeypatch.setattr(DynamoModelsInUse, "most_used", fail)
    assert house.sync()["endpoints_of"] == 0


def test_the_most_used_come_first_and_time_ends_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(house, "meadow/lark", "juniper/atlas-2.1", "juniper/atlas-2.1")
    monkeypatch.setattr(watch_endpoints, "MAX_MODELS", 1)
    house.sync()
    assert _asked(house) == ["/api/v1/models/juniper/atlas-2.1/endpoints"]
    monkeypatch.setattr(watch_endpoints, "_SECONDS_TO_END", 1_000)
    assert house.sync()["endpoints_of"] == 0
