"""What a user's executions of a day came to, by resource, model and API key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums over the executions of one day, resource, model and API key, or over several of these.

    `unpriced` counts those whose cost nobody told; `lost` those that nobody knows of; `timed` those whose duration is
    in `latency_ms`. `cost_nanousd` is what the service reported, `booked_nanousd` what budgets count: the worst case
    where the cost is unknown. `billed_nanousd` and `computed_nanousd` are the reported and the recomputed cost of
    those executions that have both.
    """

    day: str | None = None
    resource_id: str | None = None
    model: str | None = None
    api_key_id: str | None = None
    calls: int = 0
    successes: int = 0
    failures: int = 0
    lost: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: int = 0
    timed: int = 0
    cost_nanousd: int = 0
    booked_nanousd: int = 0
    billed_nanousd: int = 0
    computed_nanousd: int = 0
