"""Bring the model catalog up to date: read all of it, doubt it, write only what changed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.clock import stamp
from instant.integrations.openrouter.catalog import listing_request, read_listing
from instant.ports import CatalogWriter, Clock, Upstream

FETCH_SECONDS = 60.0
"""How long one page of the catalog may take."""

MAX_UNREADABLE_PERCENT = 2
"""A catalog with more unreadable rows than this is not believed."""

_MAX_PAGES = 50

_log = logging.getLogger(__name__)


class SyncRefused(Exception):
    """The catalog that came is not believed; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync found and did."""

    seen: int
    written: int
    added: int
    removed: int


def sync_catalog(
    *, upstream: Upstream, catalog: CatalogWriter, clock: Clock, max_loss_percent: int, accept_losses: bool
) -> SyncResult:
    """Write what changed and note the run; `SyncRefused` leaves everything as it was.

    `accept_losses` lets one run lose more models than `max_loss_percent` of the active ones.
    """
    fresh = {model.openrouter_id: model for model in fetch_catalog(upstream)}
    known = {model.openrouter_id: model for model in catalog.all()}
    now = stamp(clock.now())
    lost = [model for key, model in known.items() if model.is_active and key not in fresh]
    _doubt_losses(len(lost), sum(model.is_active for model in known.values()), max_loss_percent, accept_losses)
    changed = [model for key, model in fresh.items() if known.get(key) != model]
    retired = [replace(model, is_active=False, missing_since=now) for model in lost]
    catalog.put([*changed, *retired])
    result = SyncResult(
        seen=len(fresh),
        written=len(changed) + len(retired),
        added=sum(key not in known for key in fresh),
        removed=len(retired),
    )
    catalog.record(SyncRecord(synced_at=now, seen=result.seen, written=result.written))
    return result


def fetch_catalog(upstream: Upstream) -> Sequence[CatalogModel]:
    """The whole catalog, every page of it; `SyncRefused` if any part is missing, broken or doubled."""
    models: list[CatalogModel] = []
    unreadable, path, total = 0, None, None
    for _ in range(_MAX_PAGES):
        listing = read_listing(upstream.send(listing_request(path), seconds=FETCH_SECONDS))
        if listing is None:
            raise SyncRefused("the answer is no catalog")
        models += listing.models
        unreadable += listing.unreadable
        total = listing.total if listing.total is not None else total
        path = listing.next_path
        if path is None:
            return _believable(models, unreadable, total)
    raise SyncRefused(f"the catalog has more than {_MAX_PAGES} pages")


def _believable(models: Sequence[CatalogModel], unreadable: int, total: int | None) -> Sequence[CatalogModel]:
    if not models:
        raise SyncRefused("the catalog is empty")
    if unreadable * 100 > MAX_UNREADABLE_PERCENT * (len(models) + unreadable):
        raise SyncRefused(f"{unreadable} of {len(models) + unreadable} rows are unreadable")
    if len({model.openrouter_id for model in models}) != len(models):
        raise SyncRefused("the catalog lists a model twice")
    if total is not None and total != len(models) + unreadable:
        raise SyncRefused(f"{len(models) + unreadable} rows came, {total} were announced")
    return models


def _doubt_losses(lost: int, active: int, max_loss_percent: int, accept_losses: bool) -> None:
    if lost * 100 > max_loss_percent * active and not accept_losses:
        raise SyncRefused(f"{lost} of {active} active models would be lost; an admin can pass accept_losses")
