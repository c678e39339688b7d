"""POST /embeddings: the embedding of a text, and its cost."""

import secrets
from decimal import Decimal
from hashlib import sha256

from tests.fakes.openrouter.chat.routing import find
from tests.fakes.openrouter.chat.usage import effective_prices, tokens
from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import Reply, json_reply
from tests.fakes.openrouter.world import World


def embeddings(world: World, arrival: Arrival) -> Reply:
    """Return four numbers that depend only on the text; models without embeddings output are rejected."""
    key = world.accounts.authenticate(arrival)
    model = find(world.catalog, str(arrival.json.get("model")))
    if model is None or "embeddings" not in model["architecture"]["output_modalities"]:
        raise error(400, f"{arrival.json.get('model')} is not a valid model ID")
    text = str(arrival.json["input"])
    count = tokens(text)
    cost = effective_prices(model, count)["prompt"] * count
    world.accounts.charge(key, cost)
    numbers = [Decimal(byte - 128) / 128 for byte in sha256(text.encode()).digest()[:4]]
    return json_reply(
        200,
        {
            "object": "list",
            "data": [{"object": "embedding", "embedding": numbers, "index": 0}],
            "model": model["canonical_slug"],
            "usage": {"prompt_tokens": count, "total_tokens": count, "cost": cost},
            "id": f"gen-emb-{secrets.token_hex(10)}",
        },
    )
