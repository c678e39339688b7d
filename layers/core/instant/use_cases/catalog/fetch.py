"""Fetch and validate the whole catalog; nothing is written before this succeeds."""

from collections.abc import Callable, Sequence

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import Fetched
from instant.integrations.openrouter.catalog import is_unchanged, listing_request, read_listing
from instant.ports.upstream import Upstream, ask

FETCH_SECONDS = 60.0
"""The timeout for one page of the catalog, in seconds."""

MAX_UNREADABLE_PERCENT = 2
"""A catalog with a higher percentage of unreadable rows is rejected."""

_MAX_PAGES = 50


class SyncRefused(Exception):
    """The fetched catalog was rejected; nothing was written."""


def fetch_catalog(
    upstream: Upstream, *, validator: str | None = None, seconds_left: Callable[[], float] = lambda: FETCH_SECONDS
) -> Fetched | None:
    """Fetch all pages of the catalog; raises `SyncRefused` if any part is missing, malformed or duplicated.

    Returns None if the catalog still matches `validator`. Only a list of a single page has a validator.
    """
    models: list[CatalogModel] = []
    unreadable: list[str] = []
    path, total = None, None
    for _ in range(_MAX_PAGES):
        reply = ask(upstream, listing_request(path, validator), seconds=min(FETCH_SECONDS, seconds_left()))
        if is_unchanged(reply, validator):
            return None
        listing = read_listing(reply)
        if listing is None:
            raise SyncRefused("the response is not a catalog")
        models += listing.models
        unreadable += listing.unreadable
        total = listing.total if listing.total is not None else total
        is_whole = path is None and listing.next_path is None
        path, validator = listing.next_path, None
        if path is None:
            return _believable(models, unreadable, total, listing.validator if is_whole else None)
    raise SyncRefused(f"the catalog has more than {_MAX_PAGES} pages")


def _believable(
    models: Sequence[CatalogModel], unreadable: Sequence[str], total: int | None, validator: str | None
) -> Fetched:
    rows = len(models) + len(unreadable)
    ids = [model.openrouter_id for model in models] + [name for name in unreadable if name]
    if not models:
        raise SyncRefused("the catalog is empty")
    if len(unreadable) * 100 > MAX_UNREADABLE_PERCENT * rows:
        raise SyncRefused(f"{len(unreadable)} of {rows} rows are unreadable")
    if len(set(ids)) != len(ids):
        raise SyncRefused("the catalog lists a model twice")
    if total is not None and total != rows:
        raise SyncRefused(f"{rows} rows came, {total} were announced")
    return Fetched(
        models={model.openrouter_id: model for model in models}, unreadable=frozenset(unreadable), validator=validator
    )
