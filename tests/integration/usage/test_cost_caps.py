"""The cap on the cost of one call belongs to the user: every route returns the same, for each integration."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.integrations import INTEGRATIONS
from tests.integration.access.test_integrations import PATH
from tests.integration.app import GOOD_KEY, Answer, App
from tests.integration.browser import allow
from tests.integration.resource_types.toy_service import KEY, Service, serving
from tests.integration.synced_app import created, deployed_synced_app, new_user
from tests.toys.megaphone import Megaphone

OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4
OTHER_PATH = "/api/user/integrations/megaphone"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


@pytest.fixture
def service() -> Iterator[type[Service]]:
    with serving() as started:
        yield started


@pytest.fixture
def app(shared: App, service: type[Service], monkeypatch: pytest.MonkeyPatch) -> App:
    """An app with two services that can be connected."""
    monkeypatch.setitem(INTEGRATIONS, "megaphone", Megaphone(service.url))
    return shared


@pytest.fixture
def user() -> str:
    return new_user()


def cap(answer: Answer) -> str:
    """Return the cap in a response."""
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["max_cost_per_call_usd"])


def shown(app: App, user: str) -> list[str]:
    """Return the caps in the responses for both integrations."""
    return [cap(app.call("GET", path, user=user)) for path in (PATH, OTHER_PATH)]


def connect_both(app: App, user: str) -> None:
    """Connect both integrations without a cap."""
    for path, key in ((PATH, GOOD_KEY), (OTHER_PATH, KEY)):
        assert app.call("POST", path, {"api_key": key}, user=user).status == 201


def row_of(app: App, user: str, service: str = "openrouter") -> dict[str, Any]:
    """Return a stored row of the user, or {}."""
    key = {"user_id": {"S": f"user_{user}"}, "service": {"S": service}}
    return next((row for row in app.table("INTEGRATIONS_TABLE") if key.items() <= row.items()), {})


def make_older(app: App, user: str, nanousd: int) -> None:
    """Store the user's integration as release 0.1 did, with the cap in its row."""
    assert app.connect(user).status == 201
    assert row_of(app, user, "#user") == {}
    row = {**row_of(app, user), "max_cost_per_call_nanousd": {"N": str(nanousd)}}
    aws.client("dynamodb").put_item(TableName=app.name("INTEGRATIONS_TABLE"), Item=row)


def refused_at(app: App, user: str) -> str | None:
    """Return the cap that a call exceeds; None if the call succeeds."""
    answer = app.execute(created(app, user)["resource_id"], user=user)
    return str(answer.json["error"]["details"]["max_cost_per_call_usd"]) if answer.status == 409 else None


@pytest.mark.parametrize(("path", "key"), [(PATH, GOOD_KEY), (OTHER_PATH, KEY)], ids=["openrouter", "megaphone"])
def test_cap_set_for_one_integration_is_returned_for_the_other(app: App, user: str, path: str, key: str) -> None:
    connect_both(app, user)
    assert shown(app, user) == ["0.25", "0.25"]
    assert cap(app.call("PATCH", path, {"max_cost_per_call_usd": "0.5"}, user=user)) == "0.5"
    assert shown(app, user) == ["0.5", "0.5"]
    assert cap(app.call("POST", path, {"api_key": key, "max_cost_per_call_usd": "0.75"}, user=user)) == "0.75"
    assert shown(app, user) == ["0.75", "0.75"]


def test_cap_set_in_the_browser_is_returned_for_other_integrations(app: App, user: str) -> None:
    connect_both(app, user)
    begun = app.call("POST", f"{PATH}/connect", {}, user=user).json
    _, brought = allow(begun["authorize_url"])
    body = {"code": brought["code"], "code_verifier": begun["code_verifier"], "max_cost_per_call_usd": "2"}
    assert cap(app.call("POST", f"{PATH}/connect/complete", body, user=user)) == "2"
    assert shown(app, user) == ["2", "2"]


def test_test_of_a_key_returns_the_cap(app: App, user: str) -> None:
    app.connect(user, max_cost_per_call_usd="0.5")
    assert cap(app.call("POST", f"{PATH}/test", user=user)) == "0.5"


def test_cap_survives_the_deletion_of_every_integration(app: App, user: str) -> None:
    connect_both(app, user)
    app.call("PATCH", PATH, {"max_cost_per_call_usd": "0.000000001"}, user=user)
    for path in (PATH, OTHER_PATH):
        assert app.call("DELETE", path, user=user).status == 204
        assert app.call("GET", path, user=user).status == 404
    connect_both(app, user)
    assert shown(app, user) == ["0.000000001", "0.000000001"]
    assert refused_at(app, user) == "0.000000001"


def test_cap_belongs_to_one_user(app: App, user: str) -> None:
    other = new_user()
    for each in (user, other):
        connect_both(app, each)
    app.call("PATCH", PATH, {"max_cost_per_call_usd": "7"}, user=user)
    assert (shown(app, user), shown(app, other)) == (["7", "7"], ["0.25", "0.25"])


def test_cap_of_zero_is_enforced(app: App, user: str) -> None:
    app.connect(user, max_cost_per_call_usd=0)
    assert refused_at(app, user) == "0"


def test_cap_in_an_older_row_is_enforced(app: App, user: str) -> None:
    make_older(app, user, 1)
    assert cap(app.call("GET", PATH, user=user)) == "0.000000001"
    assert refused_at(app, user) == "0.000000001"
    assert cap(app.call("PATCH", PATH, {"is_enabled": True}, user=user)) == "0.000000001"
    assert cap(app.call("POST", f"{PATH}/test", user=user)) == "0.000000001"
    assert row_of(app, user, "#user") == {}


def test_cap_in_an_older_row_is_replaced_by_the_user(app: App, user: str) -> None:
    make_older(app, user, 1)
    assert cap(app.call("PATCH", PATH, {"max_cost_per_call_usd": "1"}, user=user)) == "1"
    assert cap(app.call("GET", PATH, user=user)) == "1"
    assert refused_at(app, user) is None
    assert row_of(app, user, "#user")["max_cost_per_call_nanousd"] == {"N": "1000000000"}


@pytest.mark.parametrize("nanousd", [0, 1, 10**9])
def test_replacing_a_key_moves_the_cap_of_an_older_row(app: App, user: str, nanousd: int) -> None:
    make_older(app, user, nanousd)
    before = cap(app.call("GET", PATH, user=user))
    assert cap(app.connect(user, OTHER_KEY)) == before
    assert cap(app.call("GET", PATH, user=user)) == before
    assert "max_cost_per_call_nanousd" not in row_of(app, user)
    assert row_of(app, user, "#user")["max_cost_per_call_nanousd"] == {"N": str(nanousd)}
    assert app.call("DELETE", PATH, user=user).status == 204
    assert cap(app.connect(user)) == before


def test_cap_sent_with_a_key_replaces_an_older_cap(app: App, user: str) -> None:
    make_older(app, user, 1)
    assert cap(app.connect(user, OTHER_KEY, max_cost_per_call_usd="0.5")) == "0.5"
    assert cap(app.call("GET", PATH, user=user)) == "0.5"


def test_cap_of_the_user_takes_precedence_over_an_older_row(app: App, user: str) -> None:
    make_older(app, user, 10**12)
    app.call("POST", OTHER_PATH, {"api_key": KEY, "max_cost_per_call_usd": "0"}, user=user)
    assert shown(app, user) == ["0", "0"]
    assert refused_at(app, user) == "0"
    assert cap(app.connect(user, OTHER_KEY)) == "0"


def test_rejected_key_leaves_the_cap_in_an_older_row(app: App, user: str) -> None:
    make_older(app, user, 1)
    refused: dict[str, Any] = {"max_cost_per_call_usd": "5"}
    assert app.connect(user, "sk-or-v1-revoked-0123456789abcdef", **refused).code == "credential_rejected"
    assert row_of(app, user, "#user") == {}
    assert cap(app.call("GET", PATH, user=user)) == "0.000000001"
