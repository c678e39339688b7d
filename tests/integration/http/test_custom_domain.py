"""A custom domain with a base path: API Gateway puts the base path before the route in the `path` of each event."""

from datetime import UTC, datetime

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.integration.app import App
from tests.integration.front import Front
from tests.integration.media import PAINTER

DOMAIN = "api.acme.example"
THERE = {"Host": DOMAIN}


@pytest.fixture
def front(seeded: App) -> Front:
    return Front(seeded, {DOMAIN: "/ai/v1"})


@pytest.fixture
def alice(seeded: App) -> str:
    secret, key = mint(user_id="user_alice", name="k", scopes=frozenset(Scope), now=datetime.now(UTC))
    DynamoApiKeyStore(seeded.name("API_KEYS_TABLE")).put(key)
    return secret.reveal()


def test_every_route_answers_under_the_base_path(front: Front, seeded: App, alice: str) -> None:
    routes = [(route.method, route.path) for route in seeded.plan.operations]
    answers = {}
    for method, path in routes:
        target = path.replace("{", "no-").replace("}", "")
        body = {"unknown": 1} if method in ("POST", "PUT", "PATCH") else None
        there, here = (front.ask(method, target, body, token=alice, headers=host) for host in (THERE, {}))
        answers[method, path] = (there.status, here.status)
    assert {route: pair for route, pair in answers.items() if pair[0] != pair[1]} == {}
    assert answers["GET", "/api/models"] == answers["GET", "/api/resources"] == (200, 200)


def test_links_lead_to_the_custom_domain_and_work_there(front: Front, alice: str) -> None:
    about = {"resource_type": "openrouter_instant", "name": "Painter", "config": {"model": PAINTER}}
    made = front.ask("POST", "/api/resources", about, token=alice, headers=THERE).json
    order = {"resource_id": made["resource_id"], "inputs": {"prompt": "A harbour."}}
    answer = front.ask("POST", "/api/execute", order, token=alice, headers=THERE)
    assert answer.status == 200, answer.text
    (url,) = answer.json["output"]["urls"]
    assert url.startswith(f"http://{DOMAIN}/ai/v1/api/images/img_")
    image = front.ask("GET", url.partition("/ai/v1")[2], token=alice, headers=THERE)
    assert image.status == 302
    read = front.ask("GET", f"/api/executions/{answer.json['execution_id']}", token=alice, headers=THERE)
    assert read.json["output"]["urls"] == [url]


def test_unknown_route_under_the_base_path_is_not_found(front: Front) -> None:
    for target in ("/api/nothing", "/ai/v1/api/models"):
        assert front.ask("GET", target, headers=THERE).code == "not_found"
