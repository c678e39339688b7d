"""POST /embeddings: vectors that depend only on the texts, and their cost."""

import secrets
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import shake_256
from struct import pack
from typing import Any

from tests.fakes.openrouter.chat import outcomes
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.directives import found_in, parse, without
from tests.fakes.openrouter.chat.error_directives import requested_error
from tests.fakes.openrouter.chat.routing import find
from tests.fakes.openrouter.chat.transport import deliver
from tests.fakes.openrouter.chat.usage import effective_prices, per_million, tokens
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import Reply, json_reply
from tests.fakes.openrouter.script import Script
from tests.fakes.openrouter.world import World

DIMENSIONS = 256
_MAX_DIMENSIONS = 4_096


def embeddings(world: World, arrival: Arrival) -> Reply:
    """The reply to a call: a queued script, an error, or one vector for each text."""
    queued = world.queue.take()
    if isinstance(queued, Script):
        return queued.reply()
    key = world.accounts.authenticate(arrival)
    model = _model(world, arrival.json)
    texts = _texts(arrival.json.get("input"))
    asked = Call(key, arrival, arrival.json, parse(queued or found_in("\n".join(texts))))
    world.accounts.check_funds(key, cap=1)
    _check_length(texts, model)
    for directive in asked.directives:
        if directive.name == "error":
            return deliver(requested_error(directive, model["id"]), asked.directives, world.stopping)
    answer = _answer(asked, model, texts)
    world.generations.keep(key, _record(answer))
    world.accounts.charge(key, answer["usage"]["cost"])
    return deliver(json_reply(200, outcomes.client_view(answer, asked)), asked.directives, world.stopping)


def vector(text: str, dimensions: int) -> list[float]:
    """The vector of a text; every number is a 32-bit float."""
    digest = shake_256(text.encode()).digest(2 * dimensions)
    return [int.from_bytes(digest[at : at + 2], signed=True) / 2**15 for at in range(0, len(digest), 2)]


def _model(world: World, body: Json) -> Json:
    model = find(world.catalog, str(body.get("model")))
    if model is None or "embeddings" not in model["architecture"]["output_modalities"]:
        raise error(400, f"{body.get('model')} is not a valid model ID")
    most = (body.get("provider") or {}).get("max_price") or {}
    if any(per_million(model, name) > Decimal(str(most[name])) for name in ("prompt", "completion") if name in most):
        raise error(404, f"No endpoints found for {model['id']}.")
    return model


def _texts(given: Any) -> list[str]:
    """The texts to embed; a list of numbers is one text in tokens."""
    several = given if isinstance(given, list) and not isinstance(next(iter(given), None), int) else [given]
    texts = [each if isinstance(each, str) else " ".join(map(str, each or [])) for each in several]
    if not texts or not all(texts):
        raise error(400, "Invalid request parameters")
    return texts


def _check_length(texts: list[str], model: Json) -> None:
    longest, limit = max(map(tokens, texts)), model["context_length"]
    if longest > limit:
        message = f"This model's maximum context length is {limit} tokens, however you requested {longest} tokens."
        raise error(400, message)


def _answer(asked: Call, model: Json, texts: list[str]) -> Json:
    dimensions = asked.body.get("dimensions") or DIMENSIONS
    if dimensions > _MAX_DIMENSIONS:
        raise error(400, "Invalid request parameters")
    vectors = [vector(without(text), dimensions) for text in texts]
    if asked.body.get("encoding_format") == "base64":
        encoded: list[Any] = [b64encode(pack(f"<{dimensions}f", *numbers)).decode() for numbers in vectors]
    else:
        encoded = vectors
    count = sum(map(tokens, texts))
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "embedding": each, "index": at} for at, each in enumerate(encoded)],
        "model": model["canonical_slug"].split("/")[1],
        "usage": _usage(model, count),
        "provider": "Northwind",
        "id": f"gen-emb-{secrets.token_hex(10)}",
    }
    outcomes.reprice(answer, asked)
    return answer


def _usage(model: Json, count: int) -> Json:
    prices = effective_prices(model, count)
    cost = prices["prompt"] * count + prices.get("request", Decimal(0))
    return {
        "prompt_tokens": count,
        "total_tokens": count,
        "cost": cost,
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": cost,
            "upstream_inference_prompt_cost": cost,
            "upstream_inference_completions_cost": Decimal(0),
        },
    }


def _record(answer: Json) -> Json:
    cost = answer["usage"]["cost"]
    return {
        "id": answer["id"],
        "total_cost": cost,
        "usage": cost,
        "created_at": datetime.now(UTC).isoformat(),
        "model": answer["model"],
        "provider_name": answer["provider"],
        "finish_reason": None,
        "streamed": False,
        "cancelled": False,
        "is_byok": False,
        "api_type": "embeddings",
        "tokens_prompt": answer["usage"]["prompt_tokens"],
        "tokens_completion": 0,
        "native_tokens_prompt": answer["usage"]["prompt_tokens"],
        "native_tokens_completion": 0,
    }
