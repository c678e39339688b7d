"""Run a resource once: START HERE.

Answer a repeat from the books. Find the resource and its type, find whose key pays, plan the call within what it may
cost, open the ledger, run, again where nothing was done, keep the images, close the ledger. Everything that can be
refused is refused before anything is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from instant.domain.budget import Scope as BudgetScope
from instant.domain.budget import Subject
from instant.domain.catalog import CatalogModel
from instant.domain.clock import moment, stamp
from instant.domain.errors import NotFound, UpstreamUnavailable
from instant.domain.execution import Opening
from instant.domain.idempotency import Once, once
from instant.domain.identity import Identity, Scope
from instant.domain.ids import new_id
from instant.domain.output import Answer
from instant.domain.pricing import recomputed_nanousd
from instant.domain.resource import Resource
from instant.ports import CallFacts, CallFactsReader, Clock, KeyOpener, KeyVerdicts, PaidUpstream, ResourceStore
from instant.ports.catalog import ModelLookup
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Call, Plan, ResourceType
from instant.use_cases.book_run import Run, book_run
from instant.use_cases.books import Books
from instant.use_cases.call_service import Line, Planned, call_service
from instant.use_cases.choose_payer import Payer, PlatformTerms, affordable, choose_payer
from instant.use_cases.earlier_answer import earlier_answer
from instant.use_cases.keep_images import Gallery, keep_images
from instant.use_cases.serving_models import serving_models

SECONDS_TO_CLOSE = 8.0
"""What is kept back of the invocation's time, so that its end can be booked even if one call to AWS hangs (6 s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What running a resource needs from outside."""

    resources: ResourceStore
    facts: CallFactsReader
    models: ModelLookup
    verdicts: KeyVerdicts
    keys: KeyOpener
    upstream: PaidUpstream
    gallery: Gallery
    books: Books
    platform: PlatformTerms
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the caller asked for: a resource by id or else by `handle/slug`, inputs, and the time there is.

    An order with an `idempotency_key` is carried out once, however often it comes.
    """

    resource_id: str | None = None
    address: str | None = None
    inputs: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    seconds_left: Callable[[], float]

    def once(self, user_id: str) -> Once | None:
        """The call that the caller has named, if so."""
        if self.idempotency_key is None:
            return None
        names = ("resource_id", "address", "inputs", "overrides")
        return once(self.idempotency_key, user_id, {name: getattr(self, name) for name in names})


def execute_resource(order: Order, caller: Identity, doors: Doors) -> dict[str, Any]:
    """The answer as callers get it; every failure is an `InstantError`, told and booked as what it was."""
    caller.require(Scope.EXECUTE)
    named = order.once(caller.user_id)
    if named and (earlier := earlier_answer(named, doors.books)):
        return earlier
    resource = _find(order, caller, doors.resources)
    kind = RESOURCE_TYPES[resource.resource_type]
    facts = _facts(caller, resource, kind, doors)
    today = doors.clock.now().date()
    models = serving_models(kind, resource.config, resource.successor_policy, facts.models, doors.models, today)
    payer = choose_payer(caller, kind.integration, models, facts, doors.platform)
    budgets = (*payer.budgets, *facts.budgets)
    plan = affordable(kind.plan(_call(order, resource, models, payer, caller, is_held=bool(budgets))), payer)
    key = doors.keys.open(payer.integration.ciphertext, user_id=payer.integration.user_id, service=kind.integration)
    opening = _opening(order, resource, models[0], plan, payer, caller, named, doors.clock)
    line = Line(upstream=doors.upstream, verdicts=doors.verdicts, ledger=doors.books.ledger, clock=doors.clock)

    def work(opening: Opening) -> Answer:
        planned = Planned(kind=kind, plan=plan, key=key, payer=payer, seconds_left=lambda: _time_to_run(order, plan))
        return keep_images(call_service(planned, opening, line), opening, doors.gallery)

    run = Run(
        opening=opening,
        work=work,
        budgets=budgets,
        computed=lambda receipt: recomputed_nanousd(models, receipt, moment(opening.created_at)),
    )
    return book_run(run, doors.books)


def _find(order: Order, caller: Identity, resources: ResourceStore) -> Resource:
    """The resource, if the caller may know of it; a foreign private one is as good as missing."""
    found = resources.get(order.resource_id) if order.resource_id else resources.find(order.address or "")
    if found is None or not found.visible_to(caller.user_id):
        raise NotFound.of("resource")
    return found


def _facts(caller: Identity, resource: Resource, kind: ResourceType, doors: Doors) -> CallFacts:
    """Everything else that must be known, in one read; private budgets first, so that they are told first."""
    subjects = [
        Subject(BudgetScope.USER, caller.user_id),
        *([Subject(BudgetScope.API_KEY, caller.key_id)] if caller.key_id else []),
        Subject(BudgetScope.RESOURCE, resource.resource_id),
        Subject(BudgetScope.GLOBAL),
    ]
    model_ids = kind.model_ids(resource.config)
    return doors.facts.of(caller.user_id, kind.integration, model_ids, subjects, platform=doors.platform.are_on)


def _call(
    order: Order,
    resource: Resource,
    models: Sequence[CatalogModel],
    payer: Payer,
    caller: Identity,
    *,
    is_held: bool,
) -> Call:
    """What is to be planned; one under a budget must not cost more than is held back for it."""
    return Call(
        config=resource.config,
        inputs=order.inputs,
        overrides=order.overrides,
        models=models,
        cap_nanousd=payer.integration.max_cost_per_call_nanousd,
        user=sha256(caller.user_id.encode()).hexdigest(),
        at_catalog_prices=is_held,
    )


def _time_to_run(order: Order, plan: Plan) -> float:
    return order.seconds_left() - SECONDS_TO_CLOSE - plan.seconds_to_keep


def _opening(
    order: Order,
    resource: Resource,
    model: CatalogModel,
    plan: Plan,
    payer: Payer,
    caller: Identity,
    named: Once | None,
    clock: Clock,
) -> Opening:
    """The ledger's first entry; its lease lasts as long as this invocation can."""
    now, seconds = clock.now(), order.seconds_left()
    if _time_to_run(order, plan) <= 0:
        raise UpstreamUnavailable("There was no time left to run this. Nothing was sent; call again.")
    return Opening(
        execution_id=named.execution_id if named else new_id("exe", now),
        run_id=new_id("run", now),
        user_id=caller.user_id,
        payer_id=payer.integration.user_id,
        key_source=payer.source,
        service=payer.integration.service,
        api_key_id=caller.key_id,
        resource_id=resource.resource_id,
        resource_revision=resource.revision,
        model=model.openrouter_id,
        reserved_nanousd=plan.worst_nanousd,
        fingerprint=named.fingerprint if named else None,
        created_at=stamp(now),
        lease_expires_at=stamp(now + timedelta(seconds=seconds)),
    )
