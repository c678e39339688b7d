"""The fake GET /generation: delayed, visible only to its key, with the exact cost."""

import json
from decimal import Decimal

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.unit.fakes.conftest import Ask


def lookup(client: httpx.Client, generation_id: str) -> httpx.Response:
    return client.get("/generation", params={"id": generation_id})


def test_generation_record_appears_after_a_delay(client: httpx.Client, ask: Ask, openrouter: FakeOpenRouter) -> None:
    openrouter.generation_lag = 2
    body = ask("Tides?", user="somebody").json()
    assert [lookup(client, body["id"]).status_code for _ in range(3)] == [404, 404, 200]
    record = lookup(client, body["id"]).json()["data"]
    assert (record["model"], record["total_cost"]) == (body["model"], body["usage"]["cost"])
    assert (record["external_user"], record["streamed"]) == ("somebody", False)
    assert openrouter.generation_lag == 2


def test_generation_records_can_be_withheld(client: httpx.Client, ask: Ask, openrouter: FakeOpenRouter) -> None:
    openrouter.hold_generations()
    generation_id = ask("Tides?").json()["id"]
    assert {lookup(client, generation_id).status_code for _ in range(4)} == {404}
    openrouter.release_generations()
    assert lookup(client, generation_id).status_code == 200


@pytest.mark.parametrize("wish", ["no-usage", "not-json", "200-error", "price 0.25"])
def test_generation_records_the_cost_if_the_reply_omits_it(
    client: httpx.Client, ask: Ask, openrouter: FakeOpenRouter, wish: str
) -> None:
    openrouter.release_generations()
    answer = ask(f"Tides? [[fake: {wish}]]")
    record = json.loads(lookup(client, answer.headers["X-Generation-Id"]).text, parse_float=Decimal)["data"]
    expected = {"200-error": Decimal(0), "price 0.25": Decimal("0.25")}.get(wish, record["usage"])
    assert record["total_cost"] == expected
    assert bool(record["total_cost"]) == (wish != "200-error")


def test_generation_records_an_aborted_call(client: httpx.Client, ask: Ask, openrouter: FakeOpenRouter) -> None:
    openrouter.release_generations()
    with pytest.raises(httpx.TransportError):
        ask("Tides? [[fake: reset]]")
    (generation_id,) = openrouter.generation_ids
    assert lookup(client, generation_id).json()["data"]["finish_reason"] == "stop"


def test_generation_is_visible_only_to_its_key(client: httpx.Client, ask: Ask, openrouter: FakeOpenRouter) -> None:
    openrouter.release_generations()
    generation_id = ask("Tides?").json()["id"]
    other = {"Authorization": "Bearer sk-or-v1-somebody-else"}
    assert client.get("/generation", params={"id": generation_id}, headers=other).status_code == 404
    assert lookup(client, "gen-unheard-of").status_code == 404


def test_generation_does_not_record_a_rejected_call(ask: Ask, openrouter: FakeOpenRouter) -> None:
    ask("Tides? [[fake: error 502]]")
    assert openrouter.generation_ids == []
