"""The policy `switch`: a successor serves the calls of a resource whose model has ended, if it may and can."""

import copy
from typing import Any

import pytest

from tests.integration.guests import created
from tests.integration.house import House

MINI, FREE, LATER = "meadow/lark-mini", "meadow/lark-mini:free", "meadow/lark-mini-2"
SWITCH = {"successor_policy": "switch"}


@pytest.fixture
def house(furnished: House) -> House:
    """A house in which a later model is the small lark under another name."""
    row = copy.deepcopy(next(row for row in furnished.fake.catalog if row["id"] == MINI))
    furnished.fake.catalog.append(row | {"id": LATER})
    furnished.sync()
    return furnished


def change(house: House, model: str, **facts: Any) -> None:
    """Let the service list a model with other facts."""
    next(row for row in house.fake.catalog if row["id"] == model).update(facts)
    house.sync()


def sent(house: House) -> Any:
    """The last chat request."""
    return house.fake.chat_requests[-1].json


def test_a_successor_serves_and_the_settings_stay(house: House) -> None:
    resource = created(house, "alice", {"model": MINI}, **SWITCH)
    assert house.execute(resource["resource_id"]).json["model"].startswith(MINI)
    house.retire(MINI)
    answer = house.execute(resource["resource_id"])
    assert (answer.status, sent(house)["model"]) == (200, LATER)
    (execution, before) = house.call("GET", "/api/executions").json["data"]
    assert (execution["model"], before["model"]) == (LATER, MINI)
    shown = house.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert (shown["config"]["model"], shown["revision"], shown["model_status"]) == (MINI, 1, "gone")
    assert shown["successor"] == LATER
    trial = {"resource_id": resource["resource_id"], "inputs": {"prompt": "Hello."}}
    preview = house.call("POST", "/api/resources/preview", trial)
    assert preview.json["request"]["model"] == LATER


@pytest.mark.parametrize("policy", ["none", "suggest"])
def test_without_leave_nothing_else_serves(house: House, policy: str) -> None:
    resource = created(house, "alice", {"model": MINI}, successor_policy=policy)
    house.retire(MINI)
    assert house.execute(resource["resource_id"]).code == "model_unavailable"
    assert house.fake.chat_requests == []


def test_while_a_model_is_missing_its_successor_serves_and_when_it_returns_it_serves_itself(house: House) -> None:
    resource = created(house, "alice", {"model": MINI}, **SWITCH)["resource_id"]
    alone = created(house, "alice", {"model": "meadow/lark"}, **SWITCH)["resource_id"]
    rows = house.fake.catalog
    house.fake.catalog = [row for row in rows if row["id"] not in (MINI, "meadow/lark")]
    house.sync()
    assert house.call("GET", f"/api/resources/{resource}").json["model_status"] == "missing"
    assert (house.execute(resource).status, sent(house)["model"]) == (200, LATER)
    house.execute(alone)
    assert sent(house)["model"] == "meadow/lark", "nothing can take over, so the model itself is tried"
    house.fake.catalog = rows
    house.sync()
    assert (house.execute(resource).status, sent(house)["model"]) == (200, MINI)


def test_a_model_that_can_no_longer_be_used_is_switched(house: House) -> None:
    resource = created(house, "alice", {"model": MINI}, **SWITCH)["resource_id"]
    change(house, MINI, architecture={"input_modalities": ["text"], "output_modalities": ["embeddings"]})
    assert house.call("GET", f"/api/resources/{resource}").json["model_status"] == "unusable"
    assert house.execute(resource).code == "model_unavailable", "no related model embeds"
    change(house, MINI, architecture={"input_modalities": ["text"], "output_modalities": ["text"]})
    change(house, MINI, pricing={"prompt": "-1", "completion": "-1"})
    house.sync(accept_prices=True)
    assert (house.execute(resource).status, sent(house)["model"]) == (200, LATER)


@pytest.mark.parametrize(
    "facts", [{"expiration_date": "2026-12-01"}, {"pricing": {"prompt": "1e-7", "completion": "1e-7"}}]
)
def test_a_model_that_serves_is_not_switched(house: House, facts: dict[str, Any]) -> None:
    resource = created(house, "alice", {"model": MINI}, **SWITCH)
    change(house, MINI, **facts)
    assert house.call("GET", f"/api/resources/{resource['resource_id']}").json["model_status"] != "ok"
    assert (house.execute(resource["resource_id"]).status, sent(house)["model"]) == (200, MINI)


def test_a_caller_s_cap_holds_for_the_successor_too(house: House) -> None:
    resource = created(house, "alice", {"model": MINI, "max_tokens": 100}, **SWITCH)
    change(house, LATER, pricing={"prompt": "0.01", "completion": "0.01"})
    house.sync(accept_prices=True)
    house.retire(MINI)
    refused = house.execute(resource["resource_id"])
    assert (refused.status, refused.code) == (409, "cost_cap")
    assert house.fake.chat_requests == []


def test_a_successor_that_would_drop_a_setting_gives_way_to_one_that_keeps_it(house: House) -> None:
    resource = created(house, "alice", {"model": MINI, "temperature": 0.5}, **SWITCH)
    change(house, LATER, supported_parameters=["max_tokens"])
    house.retire(MINI)
    assert house.execute(resource["resource_id"]).status == 200
    assert (sent(house)["model"], sent(house)["temperature"]) == (FREE, 0.5)


def test_without_one_that_keeps_every_setting_nothing_serves(house: House) -> None:
    resource = created(house, "alice", {"model": MINI, "temperature": 0.5}, **SWITCH)
    for other in (LATER, FREE):
        change(house, other, supported_parameters=["max_tokens"])
    house.retire(MINI)
    assert house.execute(resource["resource_id"]).code == "model_unavailable"
    assert house.fake.chat_requests == []


def test_a_successor_takes_a_fallback_s_place_and_is_priced_like_one_that_was_chosen(house: House) -> None:
    config = {"model": "meadow/lark", "fallback_models": [MINI, "juniper/quill-7b"], "max_tokens": 100}
    change(house, LATER, pricing={"prompt": "0.0000003", "completion": "0.0000009"})
    house.sync(accept_prices=True)
    switching, silent = created(house, "alice", config, **SWITCH), created(house, "alice", config, slug="silent")
    chosen = created(house, "alice", {**config, "fallback_models": [LATER, "juniper/quill-7b"]}, slug="chosen")
    house.retire(MINI)
    for resource, others in ((switching, [LATER]), (chosen, [LATER]), (silent, [])):
        assert house.execute(resource["resource_id"]).status == 200
        assert sent(house)["models"] == ["meadow/lark", *others, "juniper/quill-7b"]
    bodies = [request.json for request in house.fake.chat_requests]
    assert bodies[0] == bodies[1]
    assert bodies[0]["provider"]["max_price"] != bodies[2]["provider"]["max_price"]


def test_a_successor_of_a_fallback_is_within_the_caller_s_cap(house: House) -> None:
    config = {"model": "meadow/lark", "fallback_models": [MINI], "max_tokens": 100}
    resource = created(house, "alice", config, **SWITCH)
    change(house, LATER, pricing={"prompt": "0.01", "completion": "0.01"})
    house.sync(accept_prices=True)
    house.retire(MINI)
    refused = house.execute(resource["resource_id"])
    assert (refused.status, refused.code) == (409, "cost_cap")
    assert house.fake.chat_requests == []


def test_a_fallback_that_takes_over_is_asked_once(house: House) -> None:
    resource = created(house, "alice", {"model": MINI, "fallback_models": [LATER, "meadow/lark"]}, **SWITCH)
    house.retire(MINI)
    assert house.execute(resource["resource_id"]).status == 200
    assert sent(house)["models"] == [LATER, "meadow/lark"]


def test_without_a_successor_the_owner_is_asked_to_choose(house: House) -> None:
    resource = created(house, "alice", {"model": "meadow/lark"}, **SWITCH)
    house.retire("meadow/lark")
    refused = house.execute(resource["resource_id"])
    assert refused.code == "model_unavailable"
    assert "must change the resource" in refused.text
