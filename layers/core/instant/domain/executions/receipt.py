"""The service's report on one call: who served it, its usage and its cost."""

from dataclasses import dataclass, replace

from instant.domain.executions.token_usage import Usage

MAX_FACT_CHARACTERS = 200
"""Maximum length of a fact that a service reports; real ones have at most 70. A row can have 400 KB."""

PLAUSIBLE_FACTOR, PLAUSIBLE_NANOUSD = 100, 10**9
"""A cost up to this many times the worst case, or up to 1 USD, is plausible."""


def usable_id(text: str | None) -> str | None:
    """`text` if it can be an id of a call; a longer one is absent, since a part of an id identifies nothing."""
    return text if text and len(text) <= MAX_FACT_CHARACTERS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Facts of one answered call; None means that the service reported no value (cost: unknown, never 0).

    A longer text than `MAX_FACT_CHARACTERS` is cut, and a longer id is absent, so that every receipt can be recorded.
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

    def __post_init__(self) -> None:
        """Bound the facts."""
        object.__setattr__(self, "generation_id", usable_id(self.generation_id))
        for name in ("model", "provider", "finish_reason"):
            object.__setattr__(self, name, (getattr(self, name) or "")[:MAX_FACT_CHARACTERS] or None)

    def after(self, earlier: "Receipt") -> "Receipt":
        """This report, with the facts of an earlier one where it has none; the cost is only its own."""
        known = {name: getattr(earlier, name) for name in _FACTS if getattr(self, name) is None}
        return replace(self, **known)


_FACTS = ("generation_id", "model", "provider", "finish_reason", "prompt_tokens", "completion_tokens")


def is_plausible(cost_nanousd: int | None, worst_nanousd: int) -> bool:
    """Whether a reported cost can be recorded as it is; a higher one must be reported twice."""
    return cost_nanousd is None or cost_nanousd <= max(PLAUSIBLE_FACTOR * worst_nanousd, PLAUSIBLE_NANOUSD)
