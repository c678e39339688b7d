"""GET /generation: the cost of a call, available some time after the call."""

import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import Reply, json_reply


class Generations:
    """The records of all calls that a model served.

    The first `lag` lookups of an id get 404, as with OpenRouter for some seconds;
    while `held` is true, all lookups do, and while a stream runs, those of its id.
    """

    def __init__(self) -> None:
        self.lag = 1
        self.held = False
        self._records: dict[str, tuple[str, Json]] = {}
        self._asked: dict[str, int] = {}
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def record(self, key: str, arrival: Arrival, completion: Json) -> None:
        """Store the record of a completion for `key`."""
        with self._lock:
            self._records[completion["id"]] = (key, _record(arrival, completion))

    def begin(self, generation_id: str) -> None:
        """Withhold the record of a stream until `end`."""
        with self._lock:
            self._running.add(generation_id)

    def cancel(self, generation_id: str, usage: Json) -> None:
        """Replace the end of a stream whose reader has left; `usage` is what it used until then."""
        unfinished = {"cancelled": True, "finish_reason": None, "native_finish_reason": None}
        with self._lock:
            key, record = self._records[generation_id]
            cost = {"total_cost": usage["cost"], "usage": usage["cost"]}
            self._records[generation_id] = (key, {**record, **_tokens(usage), **cost, **unfinished})

    def end(self, generation_id: str) -> None:
        """End `begin`."""
        with self._lock:
            self._running.discard(generation_id)

    def keep(self, key: str, record: Json) -> None:
        """Store a record of a completion that another double returned for `key`."""
        with self._lock:
            self._records[record["id"]] = (key, record)

    def answer(self, key: str, generation_id: str) -> Reply:
        """Return the record to the key that made the call; raises 404 otherwise."""
        with self._lock:
            owner, record = self._records.get(generation_id, ("", {}))
            if owner != key or generation_id in self._running or self._too_early(generation_id):
                raise error(404, f"Generation {generation_id} not found")
        return json_reply(200, {"data": record})

    @property
    def ids(self) -> list[str]:
        """The ids of all records, oldest first."""
        with self._lock:
            return list(self._records)

    def _too_early(self, generation_id: str) -> bool:
        self._asked[generation_id] = self._asked.get(generation_id, 0) + 1
        return self.held or self._asked[generation_id] <= self.lag


def _record(arrival: Arrival, completion: Json) -> Json:
    choice, usage = completion["choices"][0], completion["usage"]
    cost = usage["cost"]
    return {
        "id": completion["id"],
        "upstream_id": None,
        "request_id": None,
        "session_id": None,
        "total_cost": cost,
        "usage": cost,
        "cache_discount": None,
        "upstream_inference_cost": Decimal(0),
        "created_at": datetime.fromtimestamp(completion["created"], UTC).isoformat(),
        "model": completion["model"],
        "provider_name": completion["provider"],
        "finish_reason": choice["finish_reason"],
        "native_finish_reason": choice["native_finish_reason"],
        **_circumstances(arrival),
        **_tokens(usage),
        **dict.fromkeys(_ABSENT),
        "provider_responses": [_attempt(completion)],
    }


# Fields that are always null.
_ABSENT = ("app_id", "moderation_latency", "preset_id", "router", "web_search_engine", "workspace_id")


def _circumstances(arrival: Arrival) -> Json:
    return {
        "streamed": bool(arrival.json.get("stream")),
        "cancelled": False,
        "is_byok": False,
        "latency": 420,
        "generation_time": 380,
        "service_tier": None,
        "origin": arrival.headers.get("http-referer", ""),
        "http_referer": arrival.headers.get("http-referer"),
        "user_agent": arrival.headers.get("user-agent"),
        "external_user": arrival.json.get("user"),
        "api_type": "completions",
        "data_region": "global",
    }


def _tokens(usage: Json) -> dict[str, Any]:
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    images = usage["completion_tokens_details"]["image_tokens"]
    return {
        "tokens_prompt": prompt,
        "tokens_completion": completion,
        "native_tokens_prompt": prompt,
        "native_tokens_completion": completion,
        "native_tokens_completion_images": images,
        "native_tokens_reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
        "native_tokens_cached": 0,
        "num_media_prompt": 0,
        "num_input_audio_prompt": 0,
        "num_media_completion": int(images > 0),
        "num_search_results": 0,
        "num_fetches": 0,
    }


def _attempt(completion: Json) -> Json:
    return {
        "endpoint_id": "9fc81a95-0000-4000-8000-000000000000",
        "model_permaslug": completion["model"],
        "provider_name": completion["provider"],
        "status": 200,
    }
