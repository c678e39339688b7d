"""Recorded OpenRouter responses are parsed; the recordings are outside the repository and may be absent."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import MaxUsage, worst_case
from instant.domain.errors import (
    CredentialRejected,
    CreditsExhausted,
    InstantError,
    ModelUnavailable,
    RateLimited,
    TooLarge,
    UpstreamError,
)
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Failure
from instant.integrations.openrouter import OpenRouter
from instant.integrations.openrouter.catalog import Listing, read_listing
from instant.integrations.openrouter.chat import read_chat
from instant.integrations.openrouter.errors import failure_of

REAL = Path(__file__).parents[4] / "shared" / "data" / "openrouter"
RECORDED = REAL / "recorded"

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not part of the repository")

KINDS: dict[str, type[InstantError]] = {
    "400-provider-raw": UpstreamError,
    "401-": CredentialRejected,
    "402-": CreditsExhausted,
    "403-key-limit": CreditsExhausted,
    "404-": ModelUnavailable,
    "429-": RateLimited,
}
"""The expected error by the prefix of a quoted body's name."""

COUNTS = {
    "models-2026-01-26.json": (345, 122, 4, 227, 30, 116, 52, 4, 9),
    "models-2026-06-08.json": (341, 162, 7, 254, 47, 60, 34, 4, 7),
}
"""Number of models in total; with vision, image output and tools; without temperature; with max_tokens unknown,
equal to and above the context length; and with an expiration date.
"""


def recorded(name: str) -> Reply:
    """Return a recorded response with its status and headers."""
    index = json.loads((RECORDED / "INDEX.json").read_text())
    (entry,) = [entry for entry in index if entry["file"] == name]
    return Reply(status=entry["status"], body=(RECORDED / name).read_bytes(), headers=entry["headers"])


def quoted() -> list[dict[str, Any]]:
    """Return the response bodies that were quoted in public."""
    bodies: list[dict[str, Any]] = json.loads((RECORDED / "quoted-bodies.json").read_text())["bodies"]
    return bodies


def quoted_reply(entry: dict[str, Any]) -> Reply:
    """Return a quoted body as a reply."""
    return Reply(status=entry["status"], body=json.dumps(entry["body"]).encode())


def texts_of(value: object) -> list[str]:
    """Return every string in `value` that is longer than 8 characters."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) and len(value) > 8 else []


def test_recordings_quoted_errors_map_to_own_errors_without_their_text() -> None:
    errors = [entry for entry in quoted() if entry["status"] >= 400]
    assert len(errors) >= 7
    for entry in errors:
        failure = failure_of(quoted_reply(entry))
        error = failure.error
        known = [kind for prefix, kind in KINDS.items() if entry["name"].startswith(prefix)]
        assert not known or type(error) is known[0], entry["name"]
        assert failure.receipt is not None
        assert failure.receipt.cost_nanousd == 0
        shown = json.dumps(error.body()) + repr(error)
        assert [text for text in texts_of(entry["body"]) if text in shown] == [], entry["name"]


def test_recordings_quoted_successes_with_an_inner_error_are_failures() -> None:
    for entry in quoted():
        if entry["status"] == 200 and ("error" in entry["body"] or "choices" in entry["body"]):
            with pytest.raises(Failure):
                read_chat(quoted_reply(entry))


def test_recordings_quoted_key_check_is_parsed() -> None:
    (entry,) = [entry for entry in quoted() if entry["name"] == "200-key"]
    reply = quoted_reply(entry)
    facts = OpenRouter().read_key_check(reply)
    assert (facts.label, facts.limit_remaining) == ("sk-or-v1-...xxx", "4.218107879")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("19-error-401.response.json", CredentialRejected),
        ("20-error-400-context-length.response.json", TooLarge),
        ("22-error-403-provider-region.response.json", UpstreamError),
    ],
)
def test_recordings_errors_map_to_their_kinds(name: str, kind: type[InstantError]) -> None:
    reply = recorded(name)
    with pytest.raises(Failure) as caught:
        read_chat(reply)
    assert type(caught.value.error) is kind
    shown = json.dumps(caught.value.error.body())
    assert [text for text in texts_of(json.loads(reply.body)) if text in shown] == []


def test_recordings_every_chat_response_is_parsed() -> None:
    names = sorted(path.name for path in RECORDED.glob("*-chat-*.response.json"))
    assert len(names) >= 7
    for name in names:
        reply = recorded(name)
        body = json.loads(reply.body)
        answer = read_chat(reply)
        message = body["choices"][0]["message"]
        content = answer.output["content"]
        images = [image["image_url"]["url"] for image in message.get("images") or ()]
        assert list(answer.images) == images
        if answer.output["type"] != "json":
            assert content == message["content"]
            assert answer.output["type"] == ("image" if images else "text")
        else:
            assert isinstance(content, dict)
            assert [call["name"] for call in content["tool_calls"]] == [
                call["function"]["name"] for call in message["tool_calls"]
            ]
        assert answer.receipt.model == body["model"]
        assert answer.receipt.provider == body["provider"]
        assert answer.receipt.generation_id == body["id"]
        assert answer.receipt.prompt_tokens == body["usage"]["prompt_tokens"]
        assert answer.receipt.cost_nanousd == pytest.approx(body["usage"]["cost"] * 1e9, abs=1)


SEARCHES = {
    "10-chat-web-search-annotations.response.json": Decimal(
        "0.03"
    ),  # OpenAI's own search engine, which the product does not use
    "11-chat-web-search-exa.response.json": Decimal("0.02"),  # one search with five results
}
"""The maximum cost of searches in recorded responses, in USD."""


def saved_models(catalog: str) -> dict[str, CatalogModel]:
    """Return a saved catalog's models by id and by canonical slug, which responses contain."""
    listing = read_listing(Reply(status=200, body=(REAL / catalog).read_bytes()))
    assert isinstance(listing, Listing)
    plain = [model for model in listing.models if ":" not in model.openrouter_id]
    return {name: model for model in plain for name in (model.canonical_slug, model.openrouter_id)}


@pytest.mark.parametrize("catalog", COUNTS)
def test_recordings_no_cost_exceeds_its_worst_case(catalog: str) -> None:
    known, compared = saved_models(catalog), 0
    for name in sorted(path.name for path in RECORDED.glob("*-chat-*.response.json")):
        body = json.loads(recorded(name).body)
        if body["model"] not in known:
            continue
        max_usage = MaxUsage(
            prompt_tokens=body["usage"]["prompt_tokens"],
            completion_tokens=body["usage"]["completion_tokens"],
            makes_images=bool(body["choices"][0]["message"].get("images")),
            extra_usd=SEARCHES.get(name, Decimal(0)),
        )
        cost = read_chat(recorded(name)).receipt.cost_nanousd
        assert cost is not None
        assert 0 < cost <= worst_case([known[body["model"]]], max_usage), name
        compared += 1
    assert compared >= 7


@pytest.mark.parametrize("name", COUNTS)
def test_recordings_catalogs_are_parsed_completely(name: str) -> None:
    listing = read_listing(Reply(status=200, body=(REAL / name).read_bytes()))
    assert isinstance(listing, Listing)
    assert listing.unreadable == []
    models = listing.models
    counted = (
        len(models),
        sum(model.vision_supported for model in models),
        sum("image" in model.output_modalities for model in models),
        sum(model.tool_calling_supported for model in models),
        sum("temperature" not in model.supported_parameters for model in models),
        sum(model.max_tokens is None for model in models),
        sum(model.max_tokens == model.context_length for model in models if model.max_tokens),
        sum(model.max_tokens > (model.context_length or 0) for model in models if model.max_tokens),
        sum(model.expiration_date is not None for model in models),
    )
    assert counted == COUNTS[name]
    assert len({model.openrouter_id for model in models}) == len(models)
