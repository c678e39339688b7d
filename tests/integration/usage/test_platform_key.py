"""The platform's own key: who may connect it, whom it pays for, for which models, and how much."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.domain.money import usd_text
from instant.domain.usage.budget import GLOBAL_SHARDS
from instant.use_cases.executions.credential import PlatformTerms
from tests.integration.access.test_integrations import REFUSED_KEY
from tests.integration.aws_calls import recorded
from tests.integration.guests import new_user
from tests.integration.house import GOOD_KEY, Answer, House, open_house
from tests.integration.purse import Purse, nanousd

PATH = "/api/admin/integrations/openrouter"
PLATFORM_KEY = "sk-or-v1-" + "fedcba9876543210" * 4
MODEL, OTHER, FREE, HALF_FREE = "meadow/lark", "juniper/quill-7b", "meadow/lark-mini:free", "northwind/easel-max"
EXACT = "[[fake: price 0.0000001]]"
"""What makes a run cost exactly 100 nano-USD, far less than it can cost."""

EACH_USD, ALL_USD = "0.002", "0.016"
"""Twice what one call can cost, for each user; and for all, in eight parts, as much in each."""


@pytest.fixture(scope="module")
def generous() -> Iterator[House]:
    """A house whose platform pays for some models; two of them have no price by which its budgets could hold."""
    models = f"{MODEL}, {FREE},{HALF_FREE}"
    with open_house(PlatformModels=models, PlatformDailyUsd=ALL_USD, PlatformDailyUsdEach=EACH_USD) as house:
        yield house


@pytest.fixture
def house(generous: House) -> House:
    """The same, with the platform's key connected, a synced catalog, and nobody in it."""
    generous.empty()
    generous.sync()
    assert connect(generous).status == 201
    generous.fake.forget_requests()
    return generous


def connect(house: House, key: str = PLATFORM_KEY, **more: Any) -> Answer:
    """Connect the platform's key, as an admin does."""
    return house.call("POST", PATH, {"api_key": key, **more}, scopes="admin")


def public(house: House, model: str = MODEL, **config: Any) -> str:
    """A public resource of somebody who has a key."""
    settings = {"model": model, "max_tokens": 1_000, **config}
    return str(house.resource("owner", config=settings, visibility="public")["resource_id"])


def row(house: House, user_id: str) -> dict[str, Any]:
    """The connection of this user, {} if there is none."""
    rows = house.table("INTEGRATIONS_TABLE")
    return next((row for row in rows if row["user_id"]["S"] == user_id), {})


def assert_nothing_sent(house: House, answer: Answer, code: str) -> None:
    assert answer.code == code, answer.text
    assert house.fake.chat_requests == []
    assert house.table("EXECUTIONS_TABLE") == []


def test_an_admin_connects_it_as_users_connect_theirs(house: House) -> None:
    shown = house.call("GET", PATH, scopes="admin").json
    own = house.connect().json
    assert shown.keys() == own.keys()
    assert shown["hint"] == PLATFORM_KEY[-4:]
    assert PLATFORM_KEY not in str(house.table("INTEGRATIONS_TABLE"))
    assert row(house, "#platform")["ciphertext"] != row(house, "user_alice")["ciphertext"]
    changed = house.call("PATCH", PATH, {"is_enabled": False, "max_cost_per_call_usd": "0.01"}, scopes="admin").json
    assert (changed["is_enabled"], changed["max_cost_per_call_usd"]) == (False, "0.01")
    assert house.call("GET", "/api/user/integrations/openrouter").json == own
    assert house.call("DELETE", PATH, scopes="admin").status == 204
    assert (house.call("GET", PATH, scopes="admin").code, row(house, "#platform")) == ("not_found", {})
    assert row(house, "user_alice")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_nobody_else_comes_near_it(house: House, method: str) -> None:
    body = {"POST": {"api_key": GOOD_KEY}, "PATCH": {"is_enabled": False}}.get(method)
    before = row(house, "#platform")
    answer = house.call(method, PATH, body, scopes="execute manage")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert (row(house, "#platform"), house.fake.requests) == (before, [])


def test_a_key_that_does_not_work_is_not_kept(house: House) -> None:
    before = row(house, "#platform")
    assert connect(house, REFUSED_KEY).code == "credential_rejected"
    assert connect(house, "nonsense").code == "invalid_field"
    assert house.call("POST", PATH.replace("openrouter", "other"), {"api_key": GOOD_KEY}).code == "not_found"
    assert row(house, "#platform") == before


def test_who_has_no_key_is_served_and_the_key_is_opened_for_the_platform_alone(house: House) -> None:
    user, resource_id = new_user(), public(house)
    with recorded("kms") as calls:
        answer = house.execute(resource_id, user=user)
    assert answer.status == 200, answer.text
    (sent,) = house.fake.chat_requests
    assert sent.headers["authorization"] == f"Bearer {PLATFORM_KEY}"
    (call,) = calls
    assert call.operation == "Decrypt"
    assert call.parameters["EncryptionContext"] == {
        "app": "instant",
        "stage": "test",
        "user_id": "#platform",
        "service": "openrouter",
    }
    (execution,) = house.table("EXECUTIONS_TABLE")
    assert (execution["payer_id"]["S"], execution["key_source"]["S"]) == ("#platform", "platform")
    assert execution["user_id"]["S"] == f"user_{user}"
    cost = int(execution["cost_nanousd"]["N"])
    purse = Purse(house)
    assert purse.rows(f"platform_user#user_{user}#") == purse.rows("platform#") == [(cost, cost)]


def test_whoever_has_a_key_pays_with_it(house: House) -> None:
    resource_id = public(house)
    house.connect("bob")
    assert house.execute(resource_id, user="bob").status == 200
    assert house.fake.chat_requests[0].headers["authorization"] == f"Bearer {GOOD_KEY}"
    assert Purse(house).rows() == []


def test_a_key_that_is_switched_off_or_broken_is_not_stood_in_for(house: House) -> None:
    resource_id = public(house)
    house.connect("bob")
    house.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False}, user="bob")
    assert_nothing_sent(house, house.execute(resource_id, user="bob"), "credential_disabled")
    house.connect("bob")
    house.fake.revoked_keys.add(GOOD_KEY)
    assert house.call("POST", "/api/user/integrations/openrouter/test", user="bob").code == "credential_rejected"
    house.fake.revoked_keys.clear()
    assert_nothing_sent(house, house.execute(resource_id, user="bob"), "credential_rejected")


@pytest.mark.parametrize(
    ("model", "config"),
    [(OTHER, {}), (MODEL, {"fallback_models": [OTHER]}), (FREE, {}), (HALF_FREE, {"max_tokens": None})],
    ids=["another model", "another fallback", "a model for nothing", "prompts for nothing"],
)
def test_it_pays_for_listed_models_that_have_a_price_and_for_nothing_else(
    house: House, model: str, config: dict[str, Any]
) -> None:
    answer = house.execute(public(house, model, **config), user=new_user())
    assert_nothing_sent(house, answer, "credential_missing")
    assert answer.status == 409


@pytest.mark.parametrize("pricing", [{"prompt": "0", "completion": "0.00000072"}, {"prompt": "0.00000018"}])
def test_a_price_that_was_lost_ends_it(house: House, pricing: dict[str, str]) -> None:
    resource_id = public(house)
    rows = house.fake.catalog
    house.fake.catalog = [{**row, "pricing": pricing} if row["id"] == MODEL else row for row in rows]
    house.sync(accept_prices=True, accept_losses=True)
    answer = house.execute(resource_id, user=new_user())
    assert answer.status == 409
    assert_nothing_sent(house, answer, answer.code)
    house.fake.catalog = rows


def test_a_user_s_share_of_a_day_is_not_passed_and_others_have_theirs(house: House) -> None:
    purse, resource_id, user = Purse(house), public(house), new_user()
    assert 1_000_000 < worst(house, resource_id) * 2 < 2_000_000
    told = [purse.run(resource_id, "[[fake: price 0.0007]]", user=user) for _ in range(4)]
    refused = [answer for answer in told if answer.status == 429]
    assert [answer.status for answer in told][:2] == [200, 200]
    assert refused
    assert (refused[0].code, refused[0].json["error"]["details"]["scope"]) == ("budget_exhausted", "platform_user")
    assert all(committed <= 2_000_000 for committed, _ in purse.rows(f"platform_user#user_{user}#"))
    assert purse.run(resource_id, EXACT, user=new_user()).status == 200


def test_what_all_may_spend_in_a_day_is_not_passed_either(house: House) -> None:
    purse, resource_id = Purse(house), public(house)
    told = [purse.run(resource_id, "[[fake: price 0.0019]]", user=new_user()) for _ in range(GLOBAL_SHARDS + 1)]
    assert [answer.status for answer in told] == [200] * GLOBAL_SHARDS + [429]
    assert told[-1].json["error"]["details"]["scope"] == "platform"
    assert purse.rows("platform#") == [(1_900_000, 1_900_000)] * GLOBAL_SHARDS
    assert len(house.fake.chat_requests) == GLOBAL_SHARDS


def test_its_own_cap_for_one_call_holds_and_names_the_way_out(house: House) -> None:
    resource_id = public(house)
    connect(house, max_cost_per_call_usd=usd_text(worst(house, resource_id) - 1))
    answer = house.execute(resource_id, user=new_user())
    assert_nothing_sent(house, answer, "cost_cap")
    assert "connect a key of your own" in answer.json["error"]["message"]


@pytest.mark.parametrize("kind", ["error 401", "error 402", "error 403 limit"])
def test_what_ails_it_is_not_the_caller_s_to_mend(house: House, kind: str) -> None:
    answer = house.execute(public(house), f"[[fake: {kind}]]", user=new_user())
    assert (answer.status, answer.code) == (502, "upstream_error")
    assert "key" in answer.json["error"]["message"]
    assert {spent for _, spent in Purse(house).rows()} == {0}
    assert row(house, "#platform")["status"]["S"] == ("broken" if kind == "error 401" else "ok")


@pytest.mark.parametrize("state", ["disabled", "broken", "gone"])
def test_while_it_cannot_be_used_nobody_is_served_by_it(house: House, state: str) -> None:
    resource_id = public(house)
    if state == "disabled":
        house.call("PATCH", PATH, {"is_enabled": False}, scopes="admin")
    elif state == "gone":
        house.call("DELETE", PATH, scopes="admin")
    else:
        house.execute(resource_id, "[[fake: error 401]]", user=new_user())
        house.fake.forget_requests()
    answer = house.execute(resource_id, user=new_user())
    assert (answer.status, answer.code, house.fake.chat_requests) == (409, "credential_missing", [])


@pytest.mark.parametrize("missing", ["models", "daily_nanousd", "daily_nanousd_each"])
def test_it_takes_all_three_parameters_to_be_on(missing: str) -> None:
    given: dict[str, Any] = {"models": frozenset({MODEL}), "daily_nanousd": 1, "daily_nanousd_each": 1}
    assert PlatformTerms(**given).are_on
    assert not PlatformTerms(**{**given, missing: type(given[missing])()}).are_on


def worst(house: House, resource_id: str, prompt: str = "Say hello.") -> int:
    """The most that a run can cost, in nano-USD."""
    body = {"resource_id": resource_id, "inputs": {"prompt": prompt}}
    shown = house.call("POST", "/api/resources/preview", body, user="owner").json
    return nanousd(shown["worst_case_usd"])
