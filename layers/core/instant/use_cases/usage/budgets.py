"""Set and read budgets of users, their API keys and resources, and the global and platform budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from instant.domain.access.identity import Identity
from instant.domain.access.identity import Scope as TokenScope
from instant.domain.access.integration import PLATFORM
from instant.domain.errors import InvalidField, NotFound
from instant.domain.usage.budget import Budget, BudgetScope, Period, Spending, Subject
from instant.ports.access.api_keys import ApiKeyStore
from instant.ports.clock import Clock
from instant.ports.resources.store import ResourceReader
from instant.ports.usage.budgets import BudgetStore

_NOUNS = {BudgetScope.API_KEY: "API key", BudgetScope.RESOURCE: "resource"}
"""The scopes whose budgets have an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetDeps:
    """The dependencies of setting budgets."""

    budgets: BudgetStore
    resources: ResourceReader
    api_keys: ApiKeyStore
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """A budget and its spend in the day and month of `at`."""

    budget: Budget
    spending: Mapping[Period, Spending]
    at: datetime


def list_budgets(caller: Identity, deps: BudgetDeps) -> list[BudgetStatus]:
    """All budgets that the caller has set, and always the caller's own; admins also get the platform's."""
    always = [Subject(BudgetScope.USER, caller.user_id)]
    if TokenScope.ADMIN in caller.scopes:
        always.append(Subject(BudgetScope.GLOBAL))
    found = {budget.subject: budget for budget in deps.budgets.of_owner(caller.user_id)}
    for subject in always:
        found.setdefault(subject, deps.budgets.get(subject) or Budget(subject=subject))
    order = list(BudgetScope)
    return _statuses(sorted(found.values(), key=lambda b: (order.index(b.subject.scope), b.subject.subject_id)), deps)


def read_budget(scope: BudgetScope, subject_id: str | None, caller: Identity, deps: BudgetDeps) -> BudgetStatus:
    """One budget; if none is set, a budget without limits."""
    if scope is BudgetScope.GLOBAL:
        caller.require(TokenScope.ADMIN)
    subject = _subject(scope, subject_id, caller)
    _refuse_others(subject, caller, deps, may_be_gone=True)
    return _statuses([deps.budgets.get(subject) or Budget(subject=subject)], deps)[0]


def set_budget(
    scope: BudgetScope,
    subject_id: str | None,
    *,
    daily_nanousd: int | None,
    monthly_nanousd: int | None,
    caller: Identity,
    deps: BudgetDeps,
) -> BudgetStatus:
    """Set the limits of a budget for calls that start from now on; without any limit the budget is deleted.

    A budget can be deleted even if its key or resource no longer exists.
    """
    caller.require(TokenScope.ADMIN if scope is BudgetScope.GLOBAL else TokenScope.MANAGE)
    subject = _subject(scope, subject_id, caller)
    _refuse_others(subject, caller, deps, may_be_gone=daily_nanousd is None and monthly_nanousd is None)
    budget = Budget(subject=subject, daily_nanousd=daily_nanousd, monthly_nanousd=monthly_nanousd)
    deps.budgets.put(_owner(subject, caller), budget)
    return _statuses([budget], deps)[0]


def _subject(scope: BudgetScope, subject_id: str | None, caller: Identity) -> Subject:
    """The subject of the budget; only keys and resources have an id."""
    if scope in _NOUNS:
        if subject_id is None:
            raise InvalidField.named("id", f"is required: which {_NOUNS[scope]} the budget is for")
        return Subject(scope, subject_id)
    if subject_id is not None:
        raise InvalidField.named("id", f"belongs to {' and '.join(_NOUNS)}; leave it out for {scope}")
    return Subject(scope, caller.user_id if scope is BudgetScope.USER else "")


def _refuse_others(subject: Subject, caller: Identity, deps: BudgetDeps, *, may_be_gone: bool) -> None:
    """A key or resource must be the caller's own; another user's raises `NotFound`."""
    if subject.scope not in _NOUNS or _user_of(subject, deps) == caller.user_id:
        return
    if not (may_be_gone and any(budget.subject == subject for budget in deps.budgets.of_owner(caller.user_id))):
        raise NotFound.of(_NOUNS[subject.scope])


def _user_of(subject: Subject, deps: BudgetDeps) -> str | None:
    """The owner of the key or resource; None if it does not exist, or was revoked."""
    if subject.scope is BudgetScope.API_KEY:
        key = deps.api_keys.find(subject.subject_id)
        return key.user_id if key and key.revoked_at is None else None
    resource = deps.resources.get(subject.subject_id)
    return resource.owner_id if resource else None


def _owner(subject: Subject, caller: Identity) -> str:
    """The owner of the list that contains the budget; admins share one list."""
    return PLATFORM if subject.scope is BudgetScope.GLOBAL else caller.user_id


def _statuses(budgets: Sequence[Budget], deps: BudgetDeps) -> list[BudgetStatus]:
    at = deps.clock.now()
    spending = deps.budgets.spending([budget.subject for budget in budgets], at)
    return [BudgetStatus(budget=budget, spending=spending[budget.subject], at=at) for budget in budgets]
