"""What must be true of every schedule; what must be true at each step is checked where the step is made."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from instant.domain.clock import LEASE_SLACK, parse_time
from instant.domain.executions.execution import KeySource, Opening, State
from instant.domain.executions.idempotency import IdempotentRequest
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.use_cases.executions.reconcile import MAX_DELAY
from tests.fakes.ledger import Row
from tests.simulator.upstream import content_of
from tests.simulator.violation import Violation
from tests.simulator.world import Call, Outcome, World

GIVEN_UP_AFTER = timedelta(hours=24)
PERIOD = timedelta(minutes=1, seconds=20)
"""How often the reconciler runs, and by how much the clocks of two machines may differ."""

NOT_MADE = {"budget_exhausted", "cost_cap"}
"""What a caller is told who may not make the call, and for whom there is no execution."""


def check_nothing_is_late(world: World, calm_since: datetime) -> None:
    """When the reconciler comes again, it is at most its own period too late, unless faults have put something off."""
    now, put_off = world.deps.clock.now() - PERIOD, calm_since + MAX_DELAY
    for row in world.books.rows.values():
        lease_over = parse_time(row.opening.lease_expires_at) + timedelta(seconds=LEASE_SLACK)
        given_up = parse_time(row.opening.created_at) + GIVEN_UP_AFTER + MAX_DELAY
        is_late = {
            State.RESERVED: now > max(lease_over, put_off),
            State.SENT: now > max(lease_over, put_off),
            State.UNKNOWN: now > max(given_up, put_off),
        }
        _require(not is_late.get(row.state), row, "should have been looked after")


def check_end(world: World) -> None:
    """When all is over, books, money, counts and answers agree."""
    _check_charges(world)
    _check_ends(world)
    _check_caps(world)
    _check_budgets(world)
    _check_counts(world)
    for told in world.told:
        _check_told(world, told)
    by_label = defaultdict(list)
    for told in world.told:
        if told.call.key:
            by_label[told.call.label].append(told)
    for story in by_label.values():
        _check_repeats(world, story)


def _check_charges(world: World) -> None:
    """What the service took for an execution is what is booked for it: as told, or no more than the worst case."""
    charges: Counter[str] = Counter()
    for call in world.service.charged:
        charges[call.opening.execution_id] += call.cost_nanousd
    rows = world.books.rows
    for execution_id in charges:
        if execution_id not in rows:
            raise Violation(f"{execution_id} was paid and is not in the books")
    for execution_id, row in rows.items():
        cost = _cost(row)
        if cost is None:
            _require(charges[execution_id] <= row.opening.reserved_nanousd, row, "cost more than is booked")
        else:
            _require(charges[execution_id] == cost, row, f"cost {charges[execution_id]} and is booked as {cost}")


def _check_ends(world: World) -> None:
    """Nothing is closed that should be asked for, and nothing is left to the reconciler without need."""
    for row in world.books.rows.values():
        _require(row.state is not State.FAILED or _cost(row) is not None, row, "failed, and was not asked for")
        if world.network.has_been_good:
            _require(not _is_reconciled(row) or "latency_ms" in row.facts, row, "was left open by its run")
    if world.network.has_been_good and any(told.code == "internal" for told in world.told):
        raise Violation("something failed although nothing was wrong")


def _check_caps(world: World) -> None:
    """What was booked for whoever has a budget is within it, whatever rows the ledger keeps for that."""
    terms, platform = world.platform, Subject(BudgetScope.PLATFORM)
    budgets = [*world.budgets, Budget(subject=platform, daily_nanousd=terms.daily_nanousd)]
    for user_id in {row.opening.user_id for row in world.books.rows.values()}:
        subject = Subject(BudgetScope.PLATFORM_USER, user_id)
        budgets.append(Budget(subject=subject, daily_nanousd=terms.daily_nanousd_each))
    for budget in budgets:
        for period, cap in budget.caps():
            booked: Counter[str] = Counter()
            for row in world.books.rows.values():
                if budget.subject in _subjects(row.opening):
                    booked[period.starting(parse_time(row.opening.created_at))] += _booked(row)
            if any(sum_ > cap for sum_ in booked.values()):
                raise Violation(f"{budget.subject.name}: {dict(booked)} of {cap} for a {period}")


def _subjects(opening: Opening) -> list[Subject]:
    """Everybody under whose budget this call falls."""
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
    for row in world.books.rows.values():
        for hold in row.opening.holds:
            expected[hold.name] += _booked(row)
    for name, sums in world.books.budgets.items():
        if not sums["committed"] == sums["spent"] == expected[name]:
            raise Violation(f"{name}: {dict(sums)} although {expected[name]} was spent")


def _check_counts(world: World) -> None:
    """Each execution is in the statistics and in the usage, once, as what it was."""
    stats: defaultdict[object, Counter[str]] = defaultdict(Counter)
    usage: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for row in world.books.rows.values():
        opening, ended_well, cost = row.opening, "error_code" not in row.facts, _cost(row)
        day = opening.created_at[:10]
        told = {"calls": 1, "successes": int(ended_well), "failures": int(not ended_well), "cost_nanousd": cost or 0}
        more: dict[str, int] = {
            "lost": int(row.state is State.LOST),
            "unpriced": int(cost is None),
            "booked_nanousd": _booked(row),
            **{name: _number(row, name) or 0 for name in ("prompt_tokens", "completion_tokens")},
        }
        stats[opening.resource_id, day].update(told)
        usage[opening.user_id, day, opening.resource_id, opening.model or "", opening.api_key_id].update(told, **more)
    for found, expected in ((world.books.stats, stats), (world.books.usage, usage)):
        if _kept(found, expected) != _kept(expected, expected):
            raise Violation(f"counted are {found!r} although {expected!r} happened")


def _kept(found: object, expected: object) -> object:
    """Those of the sums that are expected."""
    assert isinstance(found, defaultdict)
    assert isinstance(expected, defaultdict)
    names = {name for sums in expected.values() for name in sums}
    return {key: {name: sums[name] for name in names} for key, sums in found.items() if sums["calls"]}


def _check_told(world: World, told: Outcome) -> None:
    """Whoever got an answer got that of their own request, and it is paid for in the books."""
    if told.code:
        return
    if told.body["output"]["content"] != content_of(told.call.prompt):
        raise Violation(f"{told.call.label} got the answer to another request: {told.text}")
    row = world.books.rows.get(told.execution_id)
    if row is None:
        raise Violation(f"{told.execution_id} was answered and is not in the books")
    _require(row.state in {State.DONE, State.LOST} or _is_reconciled(row), row, "was answered, and is not paid for")


def _check_repeats(world: World, story: list[Outcome]) -> None:
    """The last of them asked when all was over: they are told the first answer, or why there is none."""
    answers = {told.text for told in story if not told.code}
    if len(answers) > 1:
        raise Violation(f"different answers for one key: {answers}")
    last = {told.call: told for told in story}
    execution_id = _once(story[0].call).execution_id
    row = world.books.rows.get(execution_id)
    for call, told in last.items():
        if row is None:
            if told.code not in NOT_MADE:
                raise Violation(f"{call.label} was told {told.code}, and there is no execution")
        elif row.opening.fingerprint != _once(call).fingerprint:
            _require(told.code == "idempotency_mismatch", row, f"told {told.code} to another request")
        elif stored := _stored(world, row):
            _require(told.text == stored, row, f"told {told.text} although {stored} is stored")
            _require(answers <= {stored}, row, f"told {answers} before")
        else:
            _require(told.code == "outcome_unknown", row, f"told {told.code}")


def _once(call: Call) -> IdempotentRequest:
    idempotent = call.request.idempotent(call.user_id)
    assert idempotent is not None
    return idempotent


def _stored(world: World, row: Row) -> str | None:
    """The answer that its caller may have got, and every repeat must get."""
    is_the_end = row.state in {State.DONE, State.FAILED} and not _is_reconciled(row)
    if not is_the_end and "was_delivered" not in row.facts:
        return None
    text, key = row.facts.get("text"), row.facts.get("object_key")
    return str(text) if text else world.answers.objects.get(str(key))


def _cost(row: Row) -> int | None:
    return _number(row, "cost_nanousd")


def _number(row: Row, name: str) -> int | None:
    number = row.facts.get(name)
    return number if isinstance(number, int) else None


def _booked(row: Row) -> int:
    cost = _cost(row)
    return row.opening.reserved_nanousd if cost is None else cost


def _is_reconciled(row: Row) -> bool:
    return "reconciled_at" in row.facts


def _require(holds: bool, row: Row, problem: str) -> None:
    if not holds:
        raise Violation(f"{row.opening.execution_id} ({row.state}) {problem}")
