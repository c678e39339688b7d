"""Compare the cost of a caller's last 30 days with the cost on another model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from instant.domain.access.identity import Identity
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.not_listed import why_not_listed
from instant.domain.catalog.pricing import Usage, expected_usd
from instant.domain.clock import format_time, parse_time
from instant.domain.errors import InvalidField
from instant.domain.executions.execution import Execution
from instant.domain.money import to_nanousd
from instant.domain.page import Cursor, PageRequest
from instant.domain.resources.stats import window_start
from instant.ports.catalog.store import ModelReader
from instant.ports.clock import Clock
from instant.ports.executions.history import ExecutionHistory

MAX_RUNS = 2_000
"""Maximum number of executions that one request reads, about 1 MB of the index."""


@dataclass(slots=True, kw_only=True)
class Share:
    """Comparable executions: their number, tokens, and actual and hypothetical cost in nano-USD."""

    runs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    actual_nanousd: int = 0
    other_nanousd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Executions since a time, newest first; `next` is the cursor of the next page (None: no more).

    An execution is comparable if both its tokens and its cost are known. For the others, only their number and their
    known cost are reported.
    """

    model: CatalogModel
    since: str
    by_model: Mapping[str, Share]
    total: Share
    uncompared: int
    uncompared_nanousd: int
    next: Cursor | None


@dataclass(slots=True)
class _Sums:
    by_model: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    total: Share = field(default_factory=Share)
    uncompared: int = 0
    uncompared_nanousd: int = 0


def compare_usage(
    model_id: str, caller: Identity, after: Cursor | None, history: ExecutionHistory, models: ModelReader, clock: Clock
) -> Comparison:
    """The caller's executions of 30 UTC days including today, and their tokens at the other model's prices."""
    model, now = models.get(model_id), clock.now()
    if model is None:
        raise InvalidField.named("model", why_not_listed(model_id))
    if expected_usd(model, Usage(prompt_tokens=0, completion_tokens=0), now) is None:
        raise InvalidField.named("model", "has no price that a cost can be computed from; choose another model")
    since = format_time(datetime.combine(window_start(now.astimezone(UTC).date()), time(), UTC))
    page = history.since(caller.user_id, since, PageRequest(MAX_RUNS, after))
    sums = _summed(page.items, model)
    return Comparison(
        model=model,
        since=since,
        by_model=sums.by_model,
        total=sums.total,
        uncompared=sums.uncompared,
        uncompared_nanousd=sums.uncompared_nanousd,
        next=page.next,
    )


def _summed(runs: Iterable[Execution], model: CatalogModel) -> _Sums:
    sums = _Sums()
    for run in runs:
        other = _elsewhere(run, model)
        if other is None or run.receipt.cost_nanousd is None:
            sums.uncompared += 1
            sums.uncompared_nanousd += run.receipt.cost_nanousd or 0
        else:
            for share in (sums.total, sums.by_model[run.model or ""]):
                _add(share, run, run.receipt.cost_nanousd, other)
    return sums


def _elsewhere(run: Execution, model: CatalogModel) -> int | None:
    """The execution's tokens at the model's current prices, in the tier for its length and hour; None if unknown."""
    receipt = run.receipt
    if receipt.prompt_tokens is None or receipt.completion_tokens is None:
        return None
    usage = Usage(prompt_tokens=receipt.prompt_tokens, completion_tokens=receipt.completion_tokens)
    usd = expected_usd(model, usage, parse_time(run.created_at))
    return None if usd is None else to_nanousd(usd)


def _add(share: Share, run: Execution, actual: int, other: int) -> None:
    share.runs += 1
    share.prompt_tokens += run.receipt.prompt_tokens or 0
    share.completion_tokens += run.receipt.completion_tokens or 0
    share.actual_nanousd += actual
    share.other_nanousd += other
