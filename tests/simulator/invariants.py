"""The invariants of every schedule; those of a single step are checked by the simulated ports."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from instant.domain.clock import LEASE_SLACK, parse_time
from instant.domain.executions.execution import KeySource, Opening, State
from instant.domain.executions.idempotency import IdempotentRequest
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.use_cases.executions.reconcile import MAX_DELAY
from tests.fakes.ledger import Row
from tests.simulator.calls import RESOURCE, Call, Outcome
from tests.simulator.upstream import content_of
from tests.simulator.violation import Violation
from tests.simulator.world import World

MAX_LOOKUP_TIME = timedelta(hours=24)
PERIOD = timedelta(minutes=1, seconds=20)
"""The period of the reconciler, and the maximum difference between two clocks."""

REJECTIONS = {"budget_exhausted", "cost_cap", "not_found"}
"""Error codes of calls without an execution: one that was rejected, or rolled back before it was resumed."""


def check_no_execution_is_overdue(world: World, fault_free_since: datetime) -> None:
    """No execution is overdue by more than one period, unless faults have delayed its next lookup."""
    now, delayed = world.deps.clock.now() - PERIOD, fault_free_since + MAX_DELAY
    for row in world.ledger.rows.values():
        lease_over = parse_time(row.opening.lease_expires_at) + timedelta(seconds=LEASE_SLACK)
        lookups_over = parse_time(row.opening.created_at) + MAX_LOOKUP_TIME + MAX_DELAY
        is_overdue = {
            State.RESERVED: now > max(lease_over, delayed),
            State.SENT: now > max(lease_over, delayed),
            State.UNKNOWN: now > max(lookups_over, delayed),
        }
        _require(not is_overdue.get(row.state), row, "is overdue")


def check_end(world: World) -> None:
    """At the end, ledger, charges, budgets, counts and responses agree."""
    _check_charges(world)
    _check_final_states(world)
    _check_cancellations(world)
    _check_caps(world)
    _check_budgets(world)
    _check_counts(world)
    for outcome in world.outcomes:
        _check_response(world, outcome)
    by_label = defaultdict(list)
    for outcome in world.outcomes:
        if outcome.call.key:
            by_label[outcome.call.label].append(outcome)
    for outcomes in by_label.values():
        _check_replays(world, outcomes)


def _check_charges(world: World) -> None:
    """The recorded cost of each execution is what the service charged; an unknown cost is at most the worst case."""
    charges: Counter[str] = Counter()
    for call in world.service.charged:
        charges[call.opening.execution_id] += call.cost_nanousd
    rows = world.ledger.rows
    for execution_id in charges:
        if execution_id not in rows:
            raise Violation(f"{execution_id} was charged and is not in the ledger")
    for execution_id, row in rows.items():
        cost = _cost(row)
        if cost is None:
            _require(
                charges[execution_id] <= row.opening.reserved_nanousd, row, "was charged more than its reserved cost"
            )
        else:
            _require(
                charges[execution_id] == cost, row, f"was charged {charges[execution_id]} and is recorded with {cost}"
            )


def _check_final_states(world: World) -> None:
    """FAILED executions have a known cost; without faults, the reconciler closes none and no call fails internally."""
    for row in world.ledger.rows.values():
        _require(row.state is not State.FAILED or _cost(row) is not None, row, "is FAILED without a cost")
        if world.network.has_had_no_faults:
            _require(not _is_reconciled(row) or "latency_ms" in row.facts, row, "was left open by its process")
    if world.network.has_had_no_faults and any(outcome.code == "internal" for outcome in world.outcomes):
        raise Violation("a call failed without a fault")


def _check_cancellations(world: World) -> None:
    """A cancelled execution was asked to stop, is not DONE, and has no answer; no place is taken for longer."""
    answered = {outcome.execution_id for outcome in world.outcomes if not outcome.code}
    for execution_id, row in world.ledger.rows.items():
        if _is_cancelled(row):
            _require("cancel_requested_at" in row.facts, row, "is cancelled, and nobody asked for it")
            _require(row.state in {State.FAILED, State.LOST}, row, "is cancelled")
            _require(execution_id not in answered, row, "is cancelled and was answered")


def _is_cancelled(row: Row) -> bool:
    return row.facts.get("error_code") == "cancelled"


def _check_caps(world: World) -> None:
    """The recorded cost under each budget is within its caps, computed from the executions alone."""
    terms, platform = world.platform, Subject(BudgetScope.PLATFORM)
    budgets = [*world.budgets, Budget(subject=platform, daily_nanousd=terms.daily_nanousd)]
    for user_id in {row.opening.user_id for row in world.ledger.rows.values()}:
        subject = Subject(BudgetScope.PLATFORM_USER, user_id)
        budgets.append(Budget(subject=subject, daily_nanousd=terms.daily_nanousd_each))
    for budget in budgets:
        for period, cap in budget.caps():
            recorded: Counter[str] = Counter()
            for row in world.ledger.rows.values():
                if budget.subject in _subjects(row.opening):
                    day_or_month = period.starting(parse_time(row.opening.created_at))
                    recorded[day_or_month] += _cost_in_budget(world, row, budget.subject)
            if any(cost > cap for cost in recorded.values()):
                raise Violation(f"{budget.subject.name}: {dict(recorded)} of {cap} for a {period}")


def _subjects(opening: Opening) -> list[Subject]:
    """The subjects whose budgets apply to this call."""
    subjects = [
        Subject(BudgetScope.USER, opening.user_id),
        Subject(BudgetScope.API_KEY, opening.api_key_id or "none"),
        Subject(BudgetScope.RESOURCE, opening.resource_id),
        Subject(BudgetScope.GLOBAL),
    ]
    if opening.key_source is KeySource.PLATFORM:
        subjects += [Subject(BudgetScope.PLATFORM), Subject(BudgetScope.PLATFORM_USER, opening.user_id)]
    return subjects


def _check_budgets(world: World) -> None:
    expected: Counter[str] = Counter()
    for row in world.ledger.rows.values():
        for hold in row.opening.holds:
            subject = Subject.named(hold.name.split("#", 1)[1])
            expected[hold.name] += 0 if hold.is_share else _cost_in_budget(world, row, subject)
    for name, sums in world.ledger.budgets.items():
        if not sums["committed"] == sums["spent"] == expected[name]:
            raise Violation(f"{name}: {dict(sums)} is not the recorded cost {expected[name]}")


def _check_counts(world: World) -> None:
    """The statistics and the usage contain each execution exactly once."""
    stats: defaultdict[object, Counter[str]] = defaultdict(Counter)
    usage: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for row in world.ledger.rows.values():
        opening, succeeded, cost = row.opening, "error_code" not in row.facts, _cost(row)
        day = opening.created_at[:10]
        sums = {"calls": 1, "successes": int(succeeded), "failures": int(not succeeded), "cost_nanousd": cost or 0}
        more: dict[str, int] = {
            "lost": int(row.state is State.LOST),
            "unpriced": int(cost is None),
            "booked_nanousd": _cost_or_reserved(row),
            **{name: _number(row, name) or 0 for name in ("prompt_tokens", "completion_tokens")},
        }
        counted = sums if _counts(world, row) else {**sums, "successes": 0, "failures": 0}
        own = {f"own_{name}": counted[name] * _is_by_owner(opening) for name in ("successes", "failures")}
        stats[opening.resource_id, day].update(counted | own)
        usage[opening.user_id, day, opening.resource_id, opening.model or "", opening.api_key_id].update(sums, **more)
    for found, expected in ((world.ledger.stats, stats), (world.ledger.usage, usage)):
        if _expected_sums(found, expected) != _expected_sums(expected, expected):
            raise Violation(f"the counts are {found!r}, expected {expected!r}")


def _counts(world: World, row: Row) -> bool:
    """Whether the outcome counts as a success or failure of the resource."""
    return row.facts.get("error_code") not in {"rate_limited", "cancelled"} and not _was_prevented(world, row)


def _is_by_owner(opening: Opening) -> bool:
    return opening.user_id == RESOURCE.owner_id


def _expected_sums(found: object, expected: object) -> object:
    """The entries of `found` with the names in `expected`."""
    assert isinstance(found, defaultdict)
    assert isinstance(expected, defaultdict)
    names = {name for sums in expected.values() for name in sums}
    return {key: {name: sums[name] for name in names} for key, sums in found.items() if sums["calls"]}


def _check_response(world: World, outcome: Outcome) -> None:
    """An answer belongs to the request of its caller, and its execution is in the ledger with a final state."""
    if outcome.code:
        return
    if outcome.body["output"]["content"] != content_of(outcome.call.prompt):
        raise Violation(f"{outcome.call.label} got the answer to another request: {outcome.text}")
    row = world.ledger.rows.get(outcome.execution_id)
    if row is None:
        raise Violation(f"{outcome.execution_id} was answered and is not in the ledger")
    _require(row.state in {State.DONE, State.LOST} or _is_reconciled(row), row, "was answered, and is not closed")


def _check_replays(world: World, outcomes: list[Outcome]) -> None:
    """The last retry, after the last execution was closed, returns the first answer or the matching error."""
    answers = {outcome.text for outcome in outcomes if not outcome.code}
    if len(answers) > 1:
        raise Violation(f"different answers for one key: {answers}")
    last = {outcome.call: outcome for outcome in outcomes}
    execution_id = _idempotent_request(outcomes[0].call).execution_id
    row = world.ledger.rows.get(execution_id)
    for call, outcome in last.items():
        if row is None:
            if outcome.code not in REJECTIONS:
                raise Violation(f"{call.label} got {outcome.code}, and there is no execution")
        elif row.opening.fingerprint != _idempotent_request(call).fingerprint:
            _require(outcome.code == "idempotency_mismatch", row, f"returned {outcome.code} to another request")
        elif stored := _stored_answer(world, row):
            _require(outcome.text == stored, row, f"returned {outcome.text} although {stored} is stored")
            _require(answers <= {stored}, row, f"returned {answers} before")
        else:
            expected = "cancelled" if _is_cancelled(row) else "outcome_unknown"
            _require(outcome.code == expected, row, f"returned {outcome.code}")


def _idempotent_request(call: Call) -> IdempotentRequest:
    idempotent = call.request.idempotent(call.user_id)
    assert idempotent is not None
    return idempotent


def _stored_answer(world: World, row: Row) -> str | None:
    """The stored answer that every retry must get; None if there is none."""
    is_closed_by_run = row.state in {State.DONE, State.FAILED} and not _is_reconciled(row)
    if not is_closed_by_run and "was_delivered" not in row.facts:
        return None
    text, key = row.facts.get("text"), row.facts.get("object_key")
    return str(text) if text else world.answers.objects.get(str(key))


def _cost(row: Row) -> int | None:
    return _number(row, "cost_nanousd")


def _number(row: Row, name: str) -> int | None:
    number = row.facts.get(name)
    return number if isinstance(number, int) else None


def _cost_or_reserved(row: Row) -> int:
    cost = _cost(row)
    return row.opening.reserved_nanousd if cost is None else cost


def _cost_in_budget(world: World, row: Row, subject: Subject) -> int:
    """The amount that the budget counts: 0 if it is shared and the caller prevented the lookup of the outcome."""
    return 0 if _was_prevented(world, row) and subject.scope.is_shared else _cost_or_reserved(row)


def _was_prevented(world: World, row: Row) -> bool:
    """Whether the call is lost because its caller took the key away."""
    is_callers = row.opening.key_source is KeySource.CALLER
    return row.state is State.LOST and is_callers and world.is_disconnected and "generation_id" in row.facts


def _is_reconciled(row: Row) -> bool:
    return "reconciled_at" in row.facts


def _require(holds: bool, row: Row, problem: str) -> None:
    if not holds:
        raise Violation(f"{row.opening.execution_id} ({row.state}) {problem}")
