"""Whose key pays for a call: the caller's own, else the platform's, where the operator allows that."""

from collections.abc import Sequence
from dataclasses import dataclass

from instant.domain.budget import Budget, Scope, Subject
from instant.domain.catalog import CatalogModel
from instant.domain.errors import CostCap
from instant.domain.execution import KeySource
from instant.domain.identity import Identity
from instant.domain.integration import Integration, usable
from instant.domain.money import usd_text
from instant.domain.pricing import has_price
from instant.ports import CallFacts
from instant.resource_types.resource_type import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTerms:
    """For which models the platform pays, and how much in a day: for all, and for each user, in nano-USD."""

    models: frozenset[str]
    daily_nanousd: int
    daily_nanousd_each: int

    @property
    def are_on(self) -> bool:
        """Whether the platform pays at all."""
        return bool(self.models and self.daily_nanousd and self.daily_nanousd_each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """The connection whose key is used, and the budgets that its money is under besides the usual ones."""

    integration: Integration
    source: KeySource
    budgets: Sequence[Budget] = ()


def choose_payer(
    caller: Identity, service: str, models: Sequence[CatalogModel], facts: CallFacts, terms: PlatformTerms
) -> Payer:
    """The caller's key if there is one, also if it cannot be used now: whoever switches a key off means to stop."""
    platform = facts.platform if facts.integration is None and _may_pay(terms, models) else None
    if platform and platform.is_usable:
        return Payer(integration=platform, source=KeySource.PLATFORM, budgets=_budgets(caller, terms))
    return Payer(integration=usable(facts.integration, service), source=KeySource.CALLER)


def affordable(plan: Plan, payer: Payer) -> Plan:
    """The plan, unless it could cost more than the payer allows: the owner may have changed the model since."""
    worst, cap = plan.worst_nanousd, payer.integration.max_cost_per_call_nanousd
    if worst <= cap:
        return plan
    if payer.source is KeySource.PLATFORM:
        whose, remedy = "the platform allows", "connect a key of your own"
    else:
        whose = "you allow"
        remedy = f"raise max_cost_per_call_usd with PATCH /api/user/integrations/{payer.integration.service}"
    raise CostCap(
        f"This call could cost up to {usd_text(worst)} USD and {whose} {usd_text(cap)} USD. Send less, or {remedy}.",
        details={"worst_case_usd": usd_text(worst), "max_cost_per_call_usd": usd_text(cap)},
    )


def _may_pay(terms: PlatformTerms, models: Sequence[CatalogModel]) -> bool:
    """Whichever model serves must be one that the platform pays for, and have a price by which its budgets hold."""
    return terms.are_on and all(model.openrouter_id in terms.models and has_price(model) for model in models)


def _budgets(caller: Identity, terms: PlatformTerms) -> Sequence[Budget]:
    return (
        Budget(subject=Subject(Scope.PLATFORM_USER, caller.user_id), daily_nanousd=terms.daily_nanousd_each),
        Budget(subject=Subject(Scope.PLATFORM), daily_nanousd=terms.daily_nanousd),
    )
