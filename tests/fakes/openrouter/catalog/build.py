"""Builds the rows of GET /models from a compact form."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

# The creation time of the newest model, and the interval between two models, in seconds.
NEWEST = 1_787_000_000
_SPACING = 5 * 86_400 + 4_321

SAMPLING = ("frequency_penalty", "presence_penalty", "seed", "stop", "temperature", "top_p")
TOOLS = ("tool_choice", "tools")
STRUCTURE = ("response_format", "structured_outputs")
THOUGHT = ("include_reasoning", "reasoning")
COMMON = ("max_tokens", *SAMPLING, *TOOLS, *STRUCTURE)


def age_of_newest() -> int:
    """The age of the newest model in days; creation times are fixed, so it grows."""
    return (datetime.now(UTC) - datetime.fromtimestamp(NEWEST, UTC)).days


def model(model_id: str, name: str, about: str, usd: str, **more: Any) -> Json:
    """One row. `usd` is "prompt/completion" in USD per million tokens.

    Short forms: `context`, `cap` (max_completion_tokens), `served` (the top provider's context),
    `sees` and `makes` (modalities), `accepts` (supported parameters), `tokenizer`, `prices` (further
    price keys). All other arguments are added to the row unchanged.
    """
    context = more.pop("context", 131_072)
    row = {
        "id": model_id,
        "canonical_slug": "",
        "hugging_face_id": None,
        "name": name,
        "created": 0,
        "description": about,
        "context_length": context,
        "architecture": _architecture(more),
        "pricing": _pricing(usd) | more.pop("prices", {}),
        "top_provider": {
            "context_length": more.pop("served", context),
            "max_completion_tokens": more.pop("cap", 16_384),
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": sorted(more.pop("accepts", COMMON)),
        "default_parameters": {},
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": None,
        "links": {"details": ""},
    }
    return row | more


def _architecture(more: Json) -> Json:
    inputs, outputs = more.pop("sees", "text").split(), more.pop("makes", "text").split()
    return {
        "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": more.pop("tokenizer", "Other"),
        "instruct_type": None,
    }


def _pricing(usd: str) -> dict[str, str]:
    prompt, completion = usd.split("/")
    return {"prompt": per_token(prompt), "completion": per_token(completion)}


def per_token(usd_per_million: str) -> str:
    """A price per token in the catalog's format: a decimal string, or "-1" if the price varies."""
    price = Decimal(usd_per_million)
    return "-1" if price < 0 else f"{(price / 1_000_000).normalize():f}"


def variant(base: Json, suffix: str, label: str, **changes: Any) -> Json:
    """A variant of a model under `id:suffix`, with the canonical slug of its base."""
    row = copy.deepcopy(base) | changes
    return row | {"id": f"{base['id']}:{suffix}", "name": f"{base['name']} ({label})"}


def dated(rows: Sequence[Json]) -> list[Json]:
    """The rows with creation times, canonical slugs and links; variants have the creation time of their base."""
    created: dict[str, int] = {}
    for row in rows:
        base = row["id"].partition(":")[0]
        created.setdefault(base, NEWEST - len(created) * _SPACING)
        row["created"] = created[base]
        row["canonical_slug"] = row["canonical_slug"] or f"{base}-{_day(created[base])}"
        row["links"] = {"details": f"/api/v1/models/{row['canonical_slug']}/endpoints"}
    return sorted(rows, key=lambda row: -int(row["created"]))


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d}"
