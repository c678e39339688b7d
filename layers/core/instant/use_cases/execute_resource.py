"""Run a resource once: START HERE.

Find the resource and its type, find whose key pays, plan the call within what it may cost, open the ledger,
run, keep the images, close the ledger. Everything that can be refused is refused before anything is sent.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from instant.domain.catalog import CatalogModel
from instant.domain.clock import stamp
from instant.domain.errors import CostCap, CredentialRejected, NotFound, UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.domain.execution import KeySource, Opening
from instant.domain.identity import Identity, Scope
from instant.domain.ids import new_id
from instant.domain.integration import Integration, KeyStatus, usable
from instant.domain.money import usd_text
from instant.domain.output import Answer
from instant.domain.resource import Resource
from instant.ports import CallFactsReader, Clock, KeyOpener, KeyVerdicts, ResourceStore, Upstream
from instant.ports.catalog import ModelLookup
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Call, Plan
from instant.use_cases.book_run import Books, book_run
from instant.use_cases.keep_images import Gallery, keep_images
from instant.use_cases.serving_models import serving_models

_log = logging.getLogger(__name__)

SECONDS_TO_CLOSE = 5.0
"""What is kept back of the invocation's time, so that its end can always be booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What running a resource needs from outside."""

    resources: ResourceStore
    facts: CallFactsReader
    models: ModelLookup
    verdicts: KeyVerdicts
    keys: KeyOpener
    upstream: Upstream
    gallery: Gallery
    books: Books
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the caller asked for: a resource by id or else by `handle/slug`, inputs, and the time there is."""

    resource_id: str | None = None
    address: str | None = None
    inputs: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    seconds_left: Callable[[], float]


def execute_resource(order: Order, caller: Identity, doors: Doors) -> dict[str, Any]:
    """The answer as callers get it; every failure is an `InstantError`, told and booked as what it was."""
    caller.require(Scope.EXECUTE)
    resource = _find(order, caller, doors.resources)
    kind = RESOURCE_TYPES[resource.resource_type]
    facts = doors.facts.of(caller.user_id, kind.integration, kind.model_ids(resource.config))
    today = doors.clock.now().date()
    models = serving_models(kind, resource.config, resource.successor_policy, facts.models, doors.models, today)
    integration = usable(facts.integration, kind.integration)
    plan = _affordable(kind.plan(_call(order, resource, models, integration)), integration)
    key = doors.keys.open(integration.ciphertext, user_id=caller.user_id, service=kind.integration)
    opening = _opening(order, resource, models[0], plan, caller, doors.clock)

    def send(request: Request) -> Reply:
        return doors.upstream.send(replace(request, bearer=key), seconds=_time_to_run(order, plan))

    def run() -> Answer:
        return keep_images(kind.run(plan, send), opening, doors.gallery)

    try:
        return book_run(opening, run, doors.books)
    except CredentialRejected:
        _note_broken(integration, doors)
        raise


def _note_broken(integration: Integration, doors: Doors) -> None:
    """Spare the service a key that it rejects; the run is booked and told, whether this can be noted or not."""
    try:
        doors.verdicts.note(integration, KeyStatus.BROKEN, stamp(doors.clock.now()))
    except Exception:
        _log.exception("a rejected key was not noted")


def _find(order: Order, caller: Identity, resources: ResourceStore) -> Resource:
    """The resource, if the caller may know of it; a foreign private one is as good as missing."""
    found = resources.get(order.resource_id) if order.resource_id else resources.find(order.address or "")
    if found is None or not found.visible_to(caller.user_id):
        raise NotFound.of("resource")
    return found


def _call(order: Order, resource: Resource, models: Sequence[CatalogModel], integration: Integration) -> Call:
    return Call(
        config=resource.config,
        inputs=order.inputs,
        overrides=order.overrides,
        models=models,
        cap_nanousd=integration.max_cost_per_call_nanousd,
        user=sha256(integration.user_id.encode()).hexdigest(),
    )


def _affordable(plan: Plan, integration: Integration) -> Plan:
    """The plan, unless it could cost more than the payer allows: the owner may have changed the model since."""
    cap = integration.max_cost_per_call_nanousd
    if plan.worst_nanousd > cap:
        raise CostCap(
            f"This call could cost up to {usd_text(plan.worst_nanousd)} USD and you allow {usd_text(cap)} USD. Send "
            f"less, or raise max_cost_per_call_usd with PATCH /api/user/integrations/{integration.service}.",
            details={"worst_case_usd": usd_text(plan.worst_nanousd), "max_cost_per_call_usd": usd_text(cap)},
        )
    return plan


def _time_to_run(order: Order, plan: Plan) -> float:
    return order.seconds_left() - SECONDS_TO_CLOSE - plan.seconds_to_keep


def _opening(
    order: Order, resource: Resource, model: CatalogModel, plan: Plan, caller: Identity, clock: Clock
) -> Opening:
    """The ledger's first entry; its lease lasts as long as this invocation can."""
    now, seconds = clock.now(), order.seconds_left()
    if _time_to_run(order, plan) <= 0:
        raise UpstreamUnavailable("There was no time left to run this. Nothing was sent; call again.")
    return Opening(
        execution_id=new_id("exe", now),
        user_id=caller.user_id,
        payer_id=caller.user_id,
        key_source=KeySource.CALLER,
        resource_id=resource.resource_id,
        resource_revision=resource.revision,
        model=model.openrouter_id,
        reserved_nanousd=plan.worst_nanousd,
        created_at=stamp(now),
        lease_expires_at=stamp(now + timedelta(seconds=seconds)),
    )
