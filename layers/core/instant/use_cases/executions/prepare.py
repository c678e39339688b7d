"""Prepare an execution: every check that can reject the request runs here, before anything is spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import InvalidField, NotFound
from instant.domain.executions.idempotency import IdempotentRequest, idempotent_request
from instant.domain.executions.prepared import Prepared, ServingModel
from instant.domain.ids import new_id
from instant.domain.resources.resource import Resource
from instant.domain.usage.budget import BudgetScope, Subject
from instant.ports.executions.call_facts import CallFacts
from instant.ports.resources.store import ResourceReader
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Call, ResourceType
from instant.use_cases.access.refused_keys import require_credits, with_rechecked_key
from instant.use_cases.executions.credential import Payment, choose_credential, within_cap
from instant.use_cases.executions.deps import ExecuteDeps
from instant.use_cases.executions.models import serving_models


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteRequest:
    """A request to execute: a resource by id or by `handle/slug`, inputs, and overrides of its settings.

    A request with an `idempotency_key` is executed once, even if it is sent several times. A `compatible` request comes
    from a client of OpenAI, which sends parameters without knowing the resource. With `resource_types`, resources of
    other types are rejected.
    """

    resource_id: str | None = None
    address: str | None = None
    inputs: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    compatible: bool = False
    resource_types: frozenset[str] = frozenset()

    def idempotent(self, namespace: str) -> IdempotentRequest | None:
        """The request as its idempotency key identifies it; None without a key."""
        if self.idempotency_key is None:
            return None
        names = ("resource_id", "address", "inputs", "overrides", *(["compatible"] if self.compatible else []))
        return idempotent_request(self.idempotency_key, namespace, {name: getattr(self, name) for name in names})


def prepare(request: ExecuteRequest, caller: Identity, deps: ExecuteDeps, *, stream: bool = False) -> Prepared:
    """Validate and plan the execution for `request`; nothing is written or sent but free checks of refused keys.

    With `stream`, the answer is to arrive while the model writes it.
    """
    resource = _find(request, caller, deps.resources)
    resource_type = RESOURCE_TYPES[resource.resource_type]
    facts = with_rechecked_key(_facts(caller, resource, resource_type, deps), deps.recheck)
    now = deps.clock.now()
    models = serving_models(
        resource_type, resource.config, resource.successor_policy, facts.models, deps.models, now.date()
    )
    payment = choose_credential(caller, resource_type.integration, models, facts, deps.platform)
    budgets = (*payment.budgets, *facts.budgets)
    call = _call(request, resource, models, payment, caller, has_budgets=bool(budgets))
    plan = resource_type.plan(replace(call, stream=stream))
    reveals_cost = caller.may_read_settings(resource.owner_id)
    within_cap(plan.worst_nanousd, payment, reveals_cost=reveals_cost)
    by_owner = resource.owner_id == caller.user_id
    if plan.worst_nanousd:
        require_credits(
            facts.caller.integration, payment.credential, budgets, owns_resource=by_owner, deps=deps.recheck
        )
    idempotent = request.idempotent(caller.idempotency_namespace)
    return Prepared(
        execution_id=idempotent.execution_id if idempotent else new_id("exe", now),
        user_id=caller.user_id,
        api_key_id=caller.key_id,
        fingerprint=idempotent.fingerprint if idempotent else None,
        resource_id=resource.resource_id,
        resource_revision=resource.revision,
        resource_type=resource_type.name,
        by_owner=by_owner,
        models=tuple(map(_serving, models)),
        credential=payment.credential,
        budgets=budgets,
        plan=replace(plan, preview={}),
        reveals_cost=reveals_cost,
    )


def _find(request: ExecuteRequest, caller: Identity, resources: ResourceReader) -> Resource:
    """The resource, if it is visible to the caller; another user's private resource raises `NotFound`."""
    found = resources.get(request.resource_id) if request.resource_id else resources.find(request.address or "")
    if found is None or not found.visible_to(caller.user_id, by_address=request.resource_id is None):
        raise NotFound.of("resource")
    if request.resource_types and found.resource_type not in request.resource_types:
        listed = " or ".join(sorted(request.resource_types))
        raise InvalidField.named("model", f"must be a resource of the type {listed}")
    return found


def _facts(caller: Identity, resource: Resource, resource_type: ResourceType, deps: ExecuteDeps) -> CallFacts:
    """Read the remaining facts in one batch; the caller's budgets come first, so that errors name them first."""
    subjects = [
        Subject(BudgetScope.USER, caller.user_id),
        *([Subject(BudgetScope.API_KEY, caller.key_id)] if caller.key_id else []),
        Subject(BudgetScope.RESOURCE, resource.resource_id),
        Subject(BudgetScope.GLOBAL),
    ]
    names = resource_type.models(resource.config)
    return deps.facts.of(caller.user_id, resource_type.integration, names, subjects, platform=deps.platform.are_on)


def _call(
    request: ExecuteRequest,
    resource: Resource,
    models: Sequence[CatalogModel],
    payment: Payment,
    caller: Identity,
    *,
    has_budgets: bool,
) -> Call:
    """The call to plan; with a budget, the actual cost must not exceed the hold."""
    return Call(
        config=resource.config,
        inputs=request.inputs,
        overrides=request.overrides,
        models=models,
        cap_nanousd=payment.cap_nanousd,
        user=sha256(caller.user_id.encode()).hexdigest(),
        at_catalog_prices=has_budgets,
        compatible=request.compatible,
    )


def _serving(model: CatalogModel) -> ServingModel:
    return ServingModel(
        openrouter_id=model.openrouter_id,
        canonical_slug=model.canonical_slug,
        pricing=model.pricing,
        price_overrides=model.price_overrides,
        own_searches=model.own_searches,
        price_held=model.price_held,
        price_held_since=model.price_held_since,
    )
