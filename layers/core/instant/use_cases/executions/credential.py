"""Choose the key that pays for a call: the caller's key, else the platform's key where the operator allows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from instant.domain.access.identity import Identity
from instant.domain.access.integration import Account, Integration, usable
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import has_price
from instant.domain.errors import CostCap, CredentialMissing
from instant.domain.executions.execution import KeySource
from instant.domain.executions.prepared import Credential
from instant.domain.money import usd_text
from instant.domain.secret import Secret
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.ports.access.integrations import IntegrationReader
from instant.ports.access.secret_box import KeyOpener
from instant.ports.executions.call_facts import CallFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTerms:
    """The models that the platform pays for, and its daily limits in nano-USD: in total and per user."""

    models: frozenset[str]
    daily_nanousd: int
    daily_nanousd_each: int

    @property
    def are_on(self) -> bool:
        """Whether the platform pays for any call."""
        return bool(self.models and self.daily_nanousd and self.daily_nanousd_each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """How a call is paid: the credential, the cap per call, and the additional budgets that apply."""

    credential: Credential | None
    cap_nanousd: int
    budgets: Sequence[Budget] = ()


def choose_credential(
    caller: Identity,
    integration: str | None,
    models: Sequence[CatalogModel],
    facts: CallFacts,
    terms: PlatformTerms,
) -> Payment:
    """Use the caller's key if one is stored, even if it is disabled or rejected: a disabled key must stop calls.

    A resource type without an integration needs no key. The caller's cap still applies.
    """
    if integration is None:
        return Payment(credential=None, cap_nanousd=facts.caller.cap_nanousd)
    platform = facts.platform if facts.caller.integration is None and _may_pay(terms, models) else None
    if platform and platform.integration and platform.integration.is_usable:
        return _paid_by(platform, platform.integration, KeySource.PLATFORM, _budgets(caller, terms))
    own = usable(facts.caller.integration, integration)
    return _paid_by(facts.caller, own, KeySource.CALLER)


def within_cap(worst_nanousd: int, payment: Payment, *, reveals_cost: bool) -> None:
    """Raise `CostCap` if the worst case exceeds the cap: the owner may have changed the model since."""
    cap, credential = payment.cap_nanousd, payment.credential
    if worst_nanousd <= cap:
        return
    if credential and credential.source is KeySource.PLATFORM:
        whose, remedy = "the platform allows", "connect a key of your own"
    else:
        service = credential.integration if credential else "{service}"
        whose, remedy = "you allow", f"raise max_cost_per_call_usd with PATCH /api/user/integrations/{service}"
    worst = {"worst_case_usd": usd_text(worst_nanousd)} if reveals_cost else {}
    cost = f"up to {usd_text(worst_nanousd)} USD" if reveals_cost else "too much"
    raise CostCap(
        f"This call could cost {cost}: {whose} {usd_text(cap)} USD. Send less, or {remedy}.",
        details={**worst, "max_cost_per_call_usd": usd_text(cap)},
    )


def open_key(credential: Credential, integrations: IntegrationReader, keys: KeyOpener) -> tuple[Integration, Secret]:
    """Read the row again and decrypt the key; a key that was replaced, disabled or deleted meanwhile is rejected."""
    stored = integrations.get(credential.user_id, credential.integration)
    if credential.source is KeySource.PLATFORM and stored and not stored.is_usable:
        stored = None  # the caller cannot enable or replace the platform's key: the error says to connect a key
    found = usable(stored, credential.integration)
    if ciphertext_hash(found) != credential.ciphertext_sha256:
        raise CredentialMissing("The key was replaced after this call was prepared, so nothing was sent. Call again.")
    return found, keys.open(found.ciphertext, user_id=found.user_id, service=found.service)


def ciphertext_hash(integration: Integration) -> str:
    """The SHA-256 of the ciphertext, which changes when the stored key is replaced."""
    return sha256(integration.ciphertext).hexdigest()


def _paid_by(account: Account, integration: Integration, source: KeySource, budgets: Sequence[Budget] = ()) -> Payment:
    credential = Credential(
        integration=integration.service,
        user_id=integration.user_id,
        source=source,
        ciphertext_sha256=ciphertext_hash(integration),
    )
    return Payment(credential=credential, cap_nanousd=account.cap_nanousd, budgets=budgets)


def _may_pay(terms: PlatformTerms, models: Sequence[CatalogModel]) -> bool:
    """Every model must be on the platform's list and have a price, since the platform's budgets depend on it."""
    return terms.are_on and bool(models) and all(m.openrouter_id in terms.models and has_price(m) for m in models)


def _budgets(caller: Identity, terms: PlatformTerms) -> Sequence[Budget]:
    return (
        Budget(subject=Subject(BudgetScope.PLATFORM_USER, caller.user_id), daily_nanousd=terms.daily_nanousd_each),
        Budget(subject=Subject(BudgetScope.PLATFORM), daily_nanousd=terms.daily_nanousd),
    )
