"""The successor policy `switch`: a successor serves a resource whose model has ended, if it is allowed and suitable."""

import copy
from typing import Any

import pytest

from tests.integration.app import App
from tests.integration.synced_app import created

MINI, FREE, LATER = "meadow/lark-mini", "meadow/lark-mini:free", "meadow/lark-mini-2"
SWITCH = {"successor_policy": "switch"}


@pytest.fixture
def app(seeded: App) -> App:
    """An app whose catalog has a later model as the successor of the small model."""
    row = copy.deepcopy(next(row for row in seeded.fake.catalog if row["id"] == MINI))
    seeded.fake.catalog.append(row | {"id": LATER})
    seeded.sync()
    return seeded


def change(app: App, model: str, **facts: Any) -> None:
    """Change the facts of a model in the service's catalog."""
    next(row for row in app.fake.catalog if row["id"] == model).update(facts)
    app.sync()


def sent(app: App) -> Any:
    """Return the last chat request."""
    return app.fake.chat_requests[-1].json


def test_successor_serves_with_the_same_settings(app: App) -> None:
    resource = created(app, "alice", {"model": MINI}, **SWITCH)
    assert app.execute(resource["resource_id"]).json["model"].startswith(MINI)
    app.retire(MINI)
    answer = app.execute(resource["resource_id"])
    assert (answer.status, sent(app)["model"]) == (200, LATER)
    (execution, before) = app.call("GET", "/api/executions").json["data"]
    assert (execution["model"], before["model"]) == (LATER, MINI)
    shown = app.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert (shown["config"]["model"], shown["revision"], shown["model_status"]) == (MINI, 1, "gone")
    assert shown["successor"] == LATER
    trial = {"resource_id": resource["resource_id"], "inputs": {"prompt": "Hello."}}
    preview = app.call("POST", "/api/resources/preview", trial)
    assert preview.json["request"]["model"] == LATER


@pytest.mark.parametrize("policy", ["none", "suggest"])
def test_successor_does_not_serve_without_the_policy(app: App, policy: str) -> None:
    resource = created(app, "alice", {"model": MINI}, successor_policy=policy)
    app.retire(MINI)
    assert app.execute(resource["resource_id"]).code == "model_unavailable"
    assert app.fake.chat_requests == []


def test_successor_serves_only_while_the_model_is_missing(app: App) -> None:
    resource = created(app, "alice", {"model": MINI}, **SWITCH)["resource_id"]
    alone = created(app, "alice", {"model": "meadow/lark"}, **SWITCH)["resource_id"]
    rows = app.fake.catalog
    app.fake.catalog = [row for row in rows if row["id"] not in (MINI, "meadow/lark")]
    app.sync()
    assert app.call("GET", f"/api/resources/{resource}").json["model_status"] == "missing"
    assert (app.execute(resource).status, sent(app)["model"]) == (200, LATER)
    app.execute(alone)
    assert sent(app)["model"] == "meadow/lark", "without a successor the model itself is used"
    app.fake.catalog = rows
    app.sync()
    assert (app.execute(resource).status, sent(app)["model"]) == (200, MINI)


def test_unusable_model_is_switched(app: App) -> None:
    resource = created(app, "alice", {"model": MINI}, **SWITCH)["resource_id"]
    change(app, MINI, architecture={"input_modalities": ["text"], "output_modalities": ["embeddings"]})
    assert app.call("GET", f"/api/resources/{resource}").json["model_status"] == "unusable"
    assert app.execute(resource).code == "model_unavailable", "no related model supports embeddings"
    change(app, MINI, architecture={"input_modalities": ["text"], "output_modalities": ["text"]})
    change(app, MINI, pricing={"prompt": "-1", "completion": "-1"})
    app.sync(accept_prices=True)
    assert (app.execute(resource).status, sent(app)["model"]) == (200, LATER)


@pytest.mark.parametrize(
    "facts", [{"expiration_date": "2026-12-01"}, {"pricing": {"prompt": "1e-7", "completion": "1e-7"}}]
)
def test_available_model_is_not_switched(app: App, facts: dict[str, Any]) -> None:
    resource = created(app, "alice", {"model": MINI}, **SWITCH)
    change(app, MINI, **facts)
    assert app.call("GET", f"/api/resources/{resource['resource_id']}").json["model_status"] != "ok"
    assert (app.execute(resource["resource_id"]).status, sent(app)["model"]) == (200, MINI)


def test_successor_is_within_the_callers_cap(app: App) -> None:
    resource = created(app, "alice", {"model": MINI, "max_tokens": 100}, **SWITCH)
    change(app, LATER, pricing={"prompt": "0.01", "completion": "0.01"})
    app.sync(accept_prices=True)
    app.retire(MINI)
    refused = app.execute(resource["resource_id"])
    assert (refused.status, refused.code) == (409, "cost_cap")
    assert app.fake.chat_requests == []


def test_successor_that_keeps_every_setting_is_preferred(app: App) -> None:
    resource = created(app, "alice", {"model": MINI, "temperature": 0.5}, **SWITCH)
    change(app, LATER, supported_parameters=["max_tokens"])
    app.retire(MINI)
    assert app.execute(resource["resource_id"]).status == 200
    assert (sent(app)["model"], sent(app)["temperature"]) == (FREE, 0.5)


def test_no_model_serves_if_every_successor_drops_a_setting(app: App) -> None:
    resource = created(app, "alice", {"model": MINI, "temperature": 0.5}, **SWITCH)
    for other in (LATER, FREE):
        change(app, other, supported_parameters=["max_tokens"])
    app.retire(MINI)
    assert app.execute(resource["resource_id"]).code == "model_unavailable"
    assert app.fake.chat_requests == []


def test_successor_of_a_fallback_is_priced_like_a_chosen_model(app: App) -> None:
    config = {"model": "meadow/lark", "fallback_models": [MINI, "juniper/quill-7b"], "max_tokens": 100}
    change(app, LATER, pricing={"prompt": "0.0000003", "completion": "0.0000009"})
    app.sync(accept_prices=True)
    switching, silent = created(app, "alice", config, **SWITCH), created(app, "alice", config, slug="silent")
    chosen = created(app, "alice", {**config, "fallback_models": [LATER, "juniper/quill-7b"]}, slug="chosen")
    app.retire(MINI)
    for resource, others in ((switching, [LATER]), (chosen, [LATER]), (silent, [])):
        assert app.execute(resource["resource_id"]).status == 200
        assert sent(app)["models"] == ["meadow/lark", *others, "juniper/quill-7b"]
    bodies = [request.json for request in app.fake.chat_requests]
    assert bodies[0] == bodies[1]
    assert bodies[0]["provider"]["max_price"] != bodies[2]["provider"]["max_price"]


def test_successor_of_a_fallback_is_within_the_callers_cap(app: App) -> None:
    config = {"model": "meadow/lark", "fallback_models": [MINI], "max_tokens": 100}
    resource = created(app, "alice", config, **SWITCH)
    change(app, LATER, pricing={"prompt": "0.01", "completion": "0.01"})
    app.sync(accept_prices=True)
    app.retire(MINI)
    refused = app.execute(resource["resource_id"])
    assert (refused.status, refused.code) == (409, "cost_cap")
    assert app.fake.chat_requests == []


def test_fallback_used_as_successor_is_requested_once(app: App) -> None:
    resource = created(app, "alice", {"model": MINI, "fallback_models": [LATER, "meadow/lark"]}, **SWITCH)
    app.retire(MINI)
    assert app.execute(resource["resource_id"]).status == 200
    assert sent(app)["models"] == [LATER, "meadow/lark"]


def test_missing_successor_requires_the_owner_to_choose(app: App) -> None:
    resource = created(app, "alice", {"model": "meadow/lark"}, **SWITCH)
    app.retire("meadow/lark")
    refused = app.execute(resource["resource_id"])
    assert refused.code == "model_unavailable"
    assert "must change the resource" in refused.text
