"""How a compact row becomes a model as GET /models shows it."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

# The birthday of the newest model, and the days between two models.
NEWEST = 1_787_000_000
_SPACING = 5 * 86_400 + 4_321

SAMPLING = ("frequency_penalty", "presence_penalty", "seed", "stop", "temperature", "top_p")
TOOLS = ("tool_choice", "tools")
STRUCTURE = ("response_format", "structured_outputs")
THOUGHT = ("include_reasoning", "reasoning")
COMMON = ("max_tokens", *SAMPLING, *TOOLS, *STRUCTURE)


def age_of_newest() -> int:
    """How many days ago the newest model was born: birthdays stay, and the days go by."""
    return (datetime.now(UTC) - datetime.fromtimestamp(NEWEST, UTC)).days


def model(model_id: str, name: str, about: str, usd: str, **more: Any) -> Json:
    """One row. `usd` is "prompt/completion" in USD per million tokens.

    Short forms: `context`, `cap` (max_completion_tokens), `served` (the top provider's context),
    `sees` and `makes` (modalities), `accepts` (supported parameters), `tokenizer`, `prices` (further
    price keys). Everything else is put into the row as it is.
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
    """A price per token as the catalog writes it: a plain decimal string, or "-1" for "it varies"."""
    price = Decimal(usd_per_million)
    return "-1" if price < 0 else f"{(price / 1_000_000).normalize():f}"


def variant(base: Json, suffix: str, label: str, **changes: Any) -> Json:
    """The same model under `id:suffix`; it shares the canonical slug of its base."""
    row = copy.deepcopy(base) | changes
    return row | {"id": f"{base['id']}:{suffix}", "name": f"{base['name']} ({label})"}


def dated(rows: Sequence[Json]) -> list[Json]:
    """The rows with birthdays, canonical slugs and links; variants are as old as their base."""
    births: dict[str, int] = {}
    for row in rows:
        base = row["id"].partition(":")[0]
        births.setdefault(base, NEWEST - len(births) * _SPACING)
        row["created"] = births[base]
        row["canonical_slug"] = row["canonical_slug"] or f"{base}-{_day(births[base])}"
        row["links"] = {"details": f"/api/v1/models/{row['canonical_slug']}/endpoints"}
    return sorted(rows, key=lambda row: -int(row["created"]))


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d}"
