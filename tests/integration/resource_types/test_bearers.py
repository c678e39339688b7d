"""A user's key is sent only to the base URL of its own integration."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Flow
from tests.integration.app import GOOD_KEY, App
from tests.integration.resource_types.toy_service import KEY, Service, serving
from tests.toys.announce import Announce
from tests.toys.megaphone import Megaphone
from tests.toys.parrot import Parrot

TYPE_KEY = "mega-of-the-type"


class SendsElsewhere(Announce):
    """A resource type that sends one request to each given destination, then returns an answer."""

    name = "wander"

    def __init__(self, *destinations: dict[str, Any]) -> None:
        """Take the fields that replace those of the planned request, per destination."""
        self._destinations = destinations

    def flow(self, plan: Plan) -> Flow:
        """Yield one request per destination."""
        for destination in self._destinations:
            yield replace(plan.request, **{"integration": None, **destination})
        return Answer({"type": "text", "content": "Back."}, Receipt(cost_nanousd=1))


@pytest.fixture
def service() -> Iterator[type[Service]]:
    with serving() as started:
        yield started


@pytest.fixture
def toys(app: App, service: type[Service], monkeypatch: pytest.MonkeyPatch) -> App:
    """An app with one key for OpenRouter and one for the megaphone."""
    for integration in (Megaphone(service.url), Parrot(service.url)):
        monkeypatch.setitem(INTEGRATIONS, integration.name, integration)
    app.sync()
    assert app.connect().status == 201
    assert app.call("POST", "/api/user/integrations/megaphone", {"api_key": KEY}).status == 201
    app.fake.forget_requests()
    service.asked.clear()
    return app


def send(app: App, monkeypatch: pytest.MonkeyPatch, *destinations: dict[str, Any]) -> None:
    """Execute a resource that uses the megaphone's key and sends to these destinations."""
    monkeypatch.setitem(RESOURCE_TYPES, "wander", SendsElsewhere(*destinations))
    body = {"resource_type": "wander", "name": "Wander", "config": {"loudness": 1}}
    resource_id = app.call("POST", "/api/resources", body).json["resource_id"]
    answer = app.call("POST", "/api/execute", {"resource_id": resource_id, "inputs": {"words": "hear"}})
    assert answer.status == 200, answer.text


def test_key_is_sent_to_its_own_integration(toys: App, service: type[Service], monkeypatch: pytest.MonkeyPatch) -> None:
    send(toys, monkeypatch, {"integration": "megaphone"}, {"integration": "megaphone"})
    assert [key for _, key, _ in service.asked] == [KEY, KEY]


@pytest.mark.parametrize("integration", [None, "megaphone"])
def test_key_is_not_sent_to_an_absolute_url(
    toys: App, service: type[Service], monkeypatch: pytest.MonkeyPatch, integration: str | None
) -> None:
    send(toys, monkeypatch, {"integration": integration, "base_url": service.url})
    assert [key for _, key, _ in service.asked] == [""]


def test_key_is_not_sent_to_another_integration(
    toys: App, service: type[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(toys, monkeypatch, {"integration": "parrot"}, {"integration": "openrouter", "path": "/chat/completions"})
    assert [key for _, key, _ in service.asked] == [""]
    (sent,) = toys.fake.requests
    assert "authorization" not in sent.headers
    assert KEY not in f"{sent.headers} {sent.body!r}"
    assert GOOD_KEY not in f"{sent.headers} {sent.body!r}"


def test_bearer_set_by_a_resource_type_is_not_sent(
    toys: App, service: type[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(
        toys,
        monkeypatch,
        {"integration": "megaphone", "bearer": Secret(TYPE_KEY)},
        {"integration": "parrot", "bearer": Secret(TYPE_KEY)},
        {"base_url": service.url, "bearer": Secret(TYPE_KEY)},
    )
    assert [key for _, key, _ in service.asked] == [KEY, "", ""]
