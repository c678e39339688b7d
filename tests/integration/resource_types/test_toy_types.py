"""Three toy resource types work once they are registered, as does the type that uses another endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from instant.domain.access.identity import Identity, Scope
from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import dump, load
from instant.integrations import INTEGRATIONS
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Flow
from instant.use_cases.executions.prepare import ExecuteRequest, prepare
from tests.fakes.openrouter.api.embeddings import DIMENSIONS, vector
from tests.integration.app import CHEAP_MODEL, EMBEDDER, Answer, App
from tests.integration.resource_types.toy_service import KEY, Service, serving
from tests.toys.announce import Announce
from tests.toys.careful import Careful
from tests.toys.megaphone import Megaphone
from tests.toys.parrot import Parrot
from tests.toys.repeat import Repeat
from tests.toys.shout import read_shout


@dataclass(frozen=True)
class Toy:
    """A resource type with valid settings and inputs, and the expected results."""

    name: str
    config: dict[str, Any]
    inputs: dict[str, Any]
    preview: dict[str, Any]
    worst: str
    content: object
    model: str | None
    key_source: str | None
    integration: str | None


WORDS = {"words": "hear ye"}
TOYS = {
    "another endpoint": Toy(
        "openrouter_embeddings", {"model": EMBEDDER}, {"input": "hear ye"}, {"model": EMBEDDER, "input": ["hear ye"]},
        "0.0000059", {"embeddings": [vector("hear ye", DIMENSIONS)], "dimensions": DIMENSIONS}, EMBEDDER, "caller",
        "openrouter",
    ),
    "no model": Toy(
        "announce", {"loudness": 3}, WORDS, {"words": "hear ye", "loudness": 3}, "0.003",
        "HEAR YE!!!", None, "caller", "megaphone",
    ),
    "no key": Toy("repeat", {}, WORDS, WORDS, "0.07", "hear ye", None, None, None),
    "two exchanges": Toy(
        "careful", {"model": CHEAP_MODEL, "max_tokens": 50}, {"prompt": "[[fake: price 0.00000123]] Say hello."},
        {"model": CHEAP_MODEL}, "", None, CHEAP_MODEL, "caller", "openrouter",
    ),
}  # fmt: skip


@pytest.fixture
def service() -> Iterator[type[Service]]:
    with serving() as started:
        yield started


@pytest.fixture
def toys(app: App, service: type[Service], monkeypatch: pytest.MonkeyPatch) -> App:
    """An app with a catalog, the registered toys, and alice's keys."""
    for integration in (Megaphone(service.url), Parrot(service.url)):
        monkeypatch.setitem(INTEGRATIONS, integration.name, integration)
    for resource_type in (Announce(), Repeat(), Careful()):
        monkeypatch.setitem(RESOURCE_TYPES, resource_type.name, resource_type)
    app.sync()
    assert app.connect().status == 201
    assert app.call("POST", "/api/user/integrations/megaphone", {"api_key": KEY}).status == 201
    app.fake.forget_requests()
    service.asked.clear()
    return app


def create(app: App, toy: Toy, **more: Any) -> Answer:
    body = {"resource_type": toy.name, "name": "Toy", "config": toy.config, "visibility": "public", **more}
    return app.call("POST", "/api/resources", body)


def execute(app: App, resource_id: str, toy: Toy, *, user: str = "alice", **headers: str) -> Answer:
    body = {"resource_id": resource_id, "inputs": toy.inputs}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.call("POST", "/api/execute", body, user=user, headers=named)


@pytest.fixture(params=TOYS)
def toy(request: pytest.FixtureRequest) -> Toy:
    return TOYS[request.param]


def test_toy_type_is_listed(toys: App, toy: Toy) -> None:
    listed = {each["name"]: each for each in toys.call("GET", "/api/resource-types").json["data"]}
    assert listed[toy.name]["integration"] == toy.integration
    assert listed[toy.name]["config_schema"]["type"] == "object"


def test_toy_resource_is_created_listed_and_changed(toys: App, toy: Toy) -> None:
    created = create(toys, toy)
    assert created.status == 201, created.text
    assert (created.json["config"], created.json["ai_model_id"]) == (toy.config, toy.model)
    shown = toys.call("GET", f"/api/resources/{created.json['resource_id']}").json
    assert shown["model_status"] == ("ok" if toy.model else None)
    assert (shown["model"] or {}).get("openrouter_id") == toy.model
    assert shown["affected_models"] == []
    assert shown["inputs_schema"]["type"] == "object"
    listed = toys.call("GET", "/api/resources", query={"listing": "public", "resource_type": toy.name}).json["data"]
    assert [each["ai_model_id"] for each in listed] == [toy.model]
    changed = toys.call("PATCH", f"/api/resources/{shown['resource_id']}", {"name": "Other", "config": toy.config})
    assert (changed.status, changed.json["name"], changed.json["ai_model_id"]) == (200, "Other", toy.model)


def test_toy_preview_returns_the_request_without_sending_it(toys: App, service: type[Service], toy: Toy) -> None:
    body = {"resource_type": toy.name, "config": toy.config, "inputs": toy.inputs}
    shown = toys.call("POST", "/api/resources/preview", body).json
    assert {name: shown["request"][name] for name in toy.preview} == toy.preview
    assert not {"user", "provider"} & shown["request"].keys()
    if toy.worst:
        assert shown["worst_case_usd"] == toy.worst
    assert (service.asked, toys.fake.requests) == ([], [])


def test_toy_execution_is_recorded_with_its_cost(toys: App, toy: Toy) -> None:
    resource_id = create(toys, toy).json["resource_id"]
    answer = execute(toys, resource_id, toy)
    assert answer.status == 200, answer.text
    if toy.content is not None:
        assert answer.json["output"]["content"] == toy.content
    recorded = toys.call("GET", f"/api/executions/{answer.json['execution_id']}").json
    assert (recorded["status"], recorded["output"]) == ("DONE", answer.json["output"])
    assert (recorded["model"], recorded["key_source"]) == (toy.model, toy.key_source)
    assert recorded["usage"]["cost_usd"] == answer.json["usage"]["cost_usd"] != "0"
    stats = toys.call("GET", f"/api/resources/{resource_id}").json["stats"]
    assert (stats["call_count"], stats["cost_usd_30d"]) == (1, answer.json["usage"]["cost_usd"])
    for grouping in ("resource", "model"):
        usage = toys.call("GET", "/api/usage", query={"by": grouping}).json
        assert usage["total"]["calls"] == 1, usage
    assert toys.call("GET", "/api/usage/what-if", query={"model": CHEAP_MODEL}).status == 200


def test_toy_execution_with_an_idempotency_key_is_sent_once(toys: App, service: type[Service], toy: Toy) -> None:
    assert toys.call("PUT", "/api/budgets", {"scope": "user", "daily_usd": "1", "monthly_usd": None}).status == 200
    resource_id = create(toys, toy).json["resource_id"]
    answers = [execute(toys, resource_id, toy, Idempotency_Key="order-1") for _ in range(2)]
    assert (answers[0].status, answers[0].text) == (200, answers[1].text)
    spent = toys.call("GET", "/api/budgets").json["data"][0]
    assert spent["day"]["spent_usd"] == answers[0].json["usage"]["cost_usd"]
    sent = [line for line, _, _ in service.asked if line.startswith("POST")]
    assert len(sent) + len([each for each in toys.fake.requests if each.method == "POST"]) == 1


def test_prepared_toy_execution_survives_json_serialization(toys: App, toy: Toy) -> None:
    resource_id = create(toys, toy).json["resource_id"]
    caller = Identity("user_alice", frozenset({Scope.EXECUTE}))
    request = ExecuteRequest(resource_id=resource_id, inputs=toy.inputs)
    prepared = prepare(request, caller, toys.module("ExecuteFunction").deps)
    text, large = dump(prepared)
    assert load(text, large.__getitem__) == prepared
    assert KEY not in text


def test_type_with_an_integration_requires_a_key(toys: App, toy: Toy) -> None:
    answer = execute(toys, create(toys, toy).json["resource_id"], toy, user="bob")
    assert answer.code == "credential_missing" if toy.integration else answer.status == 200


def test_type_without_a_key_keeps_the_user_cost_cap(toys: App) -> None:
    toy = TOYS["no key"]
    resource_id = create(toys, toy).json["resource_id"]
    dear = {"resource_id": resource_id, "inputs": {"words": "x" * 30}}
    for user, worst in (("alice", {"worst_case_usd": "0.3"}), ("bob", {})):
        refused = toys.call("POST", "/api/execute", dear, user=user)
        assert refused.code == "cost_cap"
        assert refused.json["error"]["details"] == {**worst, "max_cost_per_call_usd": "0.25"}
    cap = {"max_cost_per_call_usd": "0.3"}
    assert toys.call("PATCH", "/api/user/integrations/openrouter", cap).status == 200
    assert toys.call("POST", "/api/execute", dear).status == 200
    assert toys.call("POST", "/api/execute", dear, user="bob").code == "cost_cap"


def test_integration_without_keys_rejects_connections(toys: App) -> None:
    assert toys.call("POST", "/api/user/integrations/parrot", {"api_key": KEY}).status == 404


def test_type_rejects_models_it_cannot_use(toys: App) -> None:
    chat = create(toys, Toy("openrouter_instant", {"model": EMBEDDER}, {}, {}, "", None, None, None, None))
    assert chat.json["error"]["message"] == f"config.model: {EMBEDDER} outputs neither text nor images"
    embedder = create(toys, Toy("openrouter_embeddings", {"model": CHEAP_MODEL}, {}, {}, "", None, None, None, None))
    assert embedder.json["error"]["message"] == f"config.model: {CHEAP_MODEL} makes no embeddings"
    assert toys.call("GET", f"/api/models/{EMBEDDER}").json["usable"] is True


def test_execution_retries_a_busy_service_when_safe(toys: App, service: type[Service]) -> None:
    toy = TOYS["no model"]
    resource_id = create(toys, toy).json["resource_id"]
    service.endings = ["503", "503"]
    assert execute(toys, resource_id, toy).status == 200
    assert [line for line, _, _ in service.asked] == ["POST /shouts"] * 3


def test_flow_failing_before_spending_records_and_reserves_nothing(toys: App) -> None:
    toy = TOYS["two exchanges"]
    resource_id = create(toys, toy).json["resource_id"]
    toys.call("PUT", "/api/budgets", {"scope": "user", "daily_usd": "1", "monthly_usd": None})
    toys.fake.catalog = [row for row in toys.fake.catalog if row["id"] != CHEAP_MODEL]
    assert execute(toys, resource_id, toy, Idempotency_Key="order-1").code == "upstream_unavailable"
    assert toys.table("EXECUTIONS_TABLE") == []
    assert toys.call("GET", "/api/budgets").json["data"][0]["day"]["reserved_usd"] == "0"


class Twice(Announce):
    """A resource type with two paid requests, which reports no cost if the second fails."""

    name = "twice"

    def flow(self, plan: Plan) -> Flow:
        """Yield two requests that spend."""
        read_shout((yield plan.request))
        return read_shout((yield plan.request))


@pytest.mark.parametrize("end", ["503", "hang-up"])
def test_flow_failing_after_spending_records_an_unknown_cost(
    toys: App, service: type[Service], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setitem(RESOURCE_TYPES, "twice", Twice())
    toy = replace(TOYS["no model"], name="twice")
    resource_id = create(toys, toy).json["resource_id"]
    service.endings = ["", *[end] * 3]
    execute(toys, resource_id, toy)
    (row,) = toys.table("EXECUTIONS_TABLE")
    assert (row["state"]["S"], "cost_nanousd" in row) == ("UNKNOWN", False)
