"""Fetch and validate the whole catalog; nothing is written before this succeeds."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from instant.domain.catalog.sync_plan import Fetched
from instant.integrations.openrouter.catalog import is_unchanged, listing_request, read_listing
from instant.integrations.openrouter.catalog.rows import Row
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
    read = _Read()
    path, total = None, None
    for _ in range(_MAX_PAGES):
        reply = ask(upstream, listing_request(path, validator), seconds=min(FETCH_SECONDS, seconds_left()))
        if is_unchanged(reply, validator):
            return None
        listing = read_listing(reply)
        if listing is None:
            raise SyncRefused("the response is not a catalog")
        read.rows += listing.rows
        read.unreadable += listing.unreadable
        read.skipped += listing.skipped
        total = listing.total if listing.total is not None else total
        is_whole = path is None and listing.next_path is None
        path, validator = listing.next_path, None
        if path is None:
            return _believable(read, total, listing.validator if is_whole else None)
    raise SyncRefused(f"the catalog has more than {_MAX_PAGES} pages")


@dataclass(slots=True)
class _Read:
    """The rows of all pages."""

    rows: list[Row] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def _believable(read: _Read, total: int | None, validator: str | None) -> Fetched:
    """The catalog; rows that are skipped do not make the others less plausible."""
    count = len(read.rows) + len(read.unreadable)
    ids = [row.model.openrouter_id for row in read.rows]
    absent = [name for name in (*read.unreadable, *(name for name, _ in read.skipped)) if name]
    if not read.rows:
        raise SyncRefused("the catalog is empty")
    if len(read.unreadable) * 100 > MAX_UNREADABLE_PERCENT * count:
        named = ", ".join(name for name in read.unreadable if name)
        raise SyncRefused(f"{len(read.unreadable)} of {count} rows are unreadable{named and f': {named}'}")
    if len({*ids, *absent}) != len(ids) + len(absent):
        raise SyncRefused("the catalog lists a model twice")
    if total is not None and total != count + len(read.skipped):
        raise SyncRefused(f"{count + len(read.skipped)} rows came, {total} were announced")
    return Fetched(
        models={row.model.openrouter_id: row.model for row in read.rows},
        unread={row.model.openrouter_id: row.unread for row in read.rows if row.unread},
        unreadable=frozenset(absent),
        left_out=Counter(name for row in read.rows for name in row.left_out),
        skipped=(*read.skipped, *((name, "unreadable") for name in read.unreadable)),
        validator=validator,
    )
