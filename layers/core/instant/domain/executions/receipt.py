"""The service's report on one call: who served it, its usage and its cost."""

from dataclasses import dataclass

from instant.domain.executions.token_usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Facts of one answered call; None means that the service reported no value (cost: unknown, never 0).

    `usage` is the detailed usage, from which the cost can be recomputed; it is not stored.
    """

    generation_id: str | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_nanousd: int | None = None
    usage: Usage | None = None
