"""What an outside service says about one call: who served it, what it used, what it cost."""

from dataclasses import dataclass

from instant.domain.executions.token_usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Facts of one answered call; `None` means that the service did not say (cost: unknown, never 0).

    `usage` is the count in detail, from which the cost can be reckoned again; it is not kept.
    """

    generation_id: str | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_nanousd: int | None = None
    usage: Usage | None = None
