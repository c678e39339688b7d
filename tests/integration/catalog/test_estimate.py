"""POST /api/models/estimate returns the cost of a call without authentication and without sending it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.synced_app import deployed_synced_app

SONNET, LARK, ROUTER, PAINTER = "anthropic/claude-sonnet-4.5", "meadow/lark", "openrouter/auto", "juniper/fresco-2"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def ask(app: App, raw: str | None = None, **body: Any) -> Answer:
    """Send an unauthenticated request."""
    return app.call("POST", "/api/models/estimate", None if raw else body, raw=raw, user=None)


def costs(app: App, model: str, **body: Any) -> dict[str, Any]:
    """Return the estimate for one model."""
    answer = ask(app, model=model, **body)
    assert answer.status == 200, answer.text
    (row,) = answer.json["data"]
    return dict(row)


def test_estimate_returns_expected_and_worst_cost(shared: App) -> None:
    row = costs(shared, LARK, prompt_tokens=1000, completion_tokens=100)
    assert row == {
        "openrouter_id": LARK,
        "expected_usd": "0.000252",
        "worst_usd": "0.00029808",  # 256 tokens more: the frame of a chat
        "fits": True,
        "usable": True,
    }


def test_prompt_text_estimates_tokens_from_its_bytes(shared: App) -> None:
    answer = ask(shared, model=LARK, prompt="é" * 499 + "!!", completion_tokens=0)
    assert (answer.json["prompt_tokens"], answer.json["completion_tokens"]) == (250, 0)
    (row,) = answer.json["data"]
    assert (row["expected_usd"], row["worst_usd"]) == ("0.000045", "0.00022608")
    assert costs(shared, LARK, prompt="", completion_tokens=0)["expected_usd"] == "0"


def test_long_prompt_uses_the_price_of_its_tier(shared: App) -> None:
    assert costs(shared, SONNET, prompt_tokens=200_000, completion_tokens=0)["expected_usd"] == "0.6"
    assert costs(shared, SONNET, prompt_tokens=200_001, completion_tokens=0)["expected_usd"] == "1.200006"


def test_estimate_counts_every_kind_of_usage(shared: App) -> None:
    haiku, base = "anthropic/claude-haiku-4.5", {"prompt_tokens": 1000, "completion_tokens": 100}
    plain = Decimal(costs(shared, haiku, **base)["expected_usd"])
    assert plain == Decimal("0.0015")
    for more, usd in (
        ({"cached_tokens": 1000}, "0.0006"),
        ({"cache_write_tokens": 1000}, "0.00175"),
        ({"web_searches": 2}, "0.0215"),
        ({"reasoning_tokens": 100}, "0.0015"),
        ({"image_output_tokens": 1}, None),
        ({"audio_output_tokens": 1}, None),
    ):
        assert costs(shared, haiku, **base, **more)["expected_usd"] == usd, more
    assert costs(shared, "google/gemini-2.5-flash", **base, audio_tokens=1000)["expected_usd"] == "0.00125"
    with_images = costs(shared, haiku, **base, images=2)
    assert Decimal(with_images["worst_usd"]) >= 2 * 50_000 * Decimal("0.000001")


def test_estimate_sorts_as_requested_with_unknown_costs_last(shared: App) -> None:
    models = [ROUTER, SONNET, LARK]
    call: dict[str, Any] = {"models": models, "prompt_tokens": 10, "completion_tokens": 10}
    rows = ask(shared, **call).json["data"]
    assert [row["openrouter_id"] for row in rows] == models
    assert ask(shared, **call, sort="as_given").json["data"] == rows
    for sort in ("expected", "worst"):
        rows = ask(shared, **call, sort=sort).json["data"]
        assert [row["openrouter_id"] for row in rows] == [LARK, SONNET, ROUTER]
    assert (rows[-1]["expected_usd"], rows[-1]["worst_usd"], rows[-1]["usable"]) == (None, None, False)


def test_estimate_reports_calls_that_exceed_model_limits(shared: App) -> None:
    assert not costs(shared, LARK, prompt_tokens=131_072, completion_tokens=1)["fits"]
    assert costs(shared, LARK, prompt_tokens=131_071, completion_tokens=1)["fits"]
    assert not costs(shared, LARK, prompt_tokens=1, completion_tokens=16_385)["fits"]
    assert costs(shared, "northwind/endless", prompt_tokens=10**9, completion_tokens=10**6)["fits"]


GOOD: dict[str, Any] = {"model": LARK, "prompt_tokens": 10, "completion_tokens": 10}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": None}, "body"),
        ({"models": [LARK]}, "body"),
        ({"prompt": "x"}, "body"),
        ({"prompt_tokens": None}, "body"),
        ({"completion_tokens": None}, "completion_tokens"),
        ({"completion_tokens": -1}, "completion_tokens"),
        ({"prompt_tokens": 1.5}, "prompt_tokens"),
        ({"prompt_tokens": "10"}, "prompt_tokens"),
        ({"images": True}, "images"),
        ({"completion_tokens": 10.0}, "completion_tokens"),
        ({"prompt_tokens": 10**9 + 1}, "prompt_tokens"),
        ({"cached_tokens": 11}, "cached_tokens"),
        ({"cached_tokens": 6, "audio_tokens": 5}, "audio_tokens"),
        ({"reasoning_tokens": 11}, "reasoning_tokens"),
        ({"images": 1001}, "images"),
        ({"sort": "price"}, "sort"),
        ({"temperature": 1}, "temperature"),
        ({"model": "no/such"}, "models.0"),
        ({"model": None, "models": [LARK, "no/such"]}, "models.1"),
        ({"model": None, "models": []}, "models"),
        ({"model": None, "models": [LARK] * 21}, "models"),
    ],
)
def test_invalid_estimate_request_names_the_field(shared: App, change: dict[str, Any], field: str) -> None:
    body = {name: value for name, value in (GOOD | change).items() if value is not None}
    answer = ask(shared, **body)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    if field.startswith("models."):
        assert f"{field}: is not in the catalog" in answer.json["error"]["message"]


def test_estimate_rejects_an_oversized_body_before_parsing(shared: App) -> None:
    answer = ask(shared, raw="[" + " " * 400_000)
    assert (answer.status, answer.code) == (413, "too_large")
    assert ask(shared, raw="[" + " " * 399_999).code == "malformed"
    assert ask(shared, model=LARK, prompt="x" * 100_000, completion_tokens=1).status == 200
    assert ask(shared, model=LARK, prompt="x" * 100_001, completion_tokens=1).status == 422


def test_estimate_does_not_write_to_the_database(shared: App) -> None:
    ask(shared, **GOOD)
    with recorded("dynamodb") as calls:
        assert ask(shared, **GOOD).status == 200
    assert set(operations(calls)) <= {"GetItem"}
