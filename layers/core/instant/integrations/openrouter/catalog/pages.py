"""The model catalog: its requests, and the parsing of its pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from instant.domain.catalog.model import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.integrations.openrouter.catalog.rows import Row, RowSkipped, read_row, row_id
from instant.integrations.openrouter.catalog.values import parse_catalog
from instant.integrations.openrouter.parsing import NAME, count, mapping, text

MAX_CATALOG_BYTES = 20_000_000
"""Maximum size of a catalog in bytes; real ones have 0.4 to 0.7 MB."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One parsed page of the catalog.

    `unreadable` has the ids of rows that failed to parse ("" without an id), `skipped` those of rows that cannot be
    used, with the reason. `validator` is the service's ETag of the page, else a hash of the page.
    """

    rows: Sequence[Row]
    unreadable: Sequence[str]
    skipped: Sequence[tuple[str, str]]
    total: int | None
    next_path: str | None
    validator: str

    @property
    def models(self) -> list[CatalogModel]:
        """The models of the rows."""
        return [row.model for row in self.rows]


def listing_request(path: str | None = None, validator: str | None = None) -> Request:
    """Request the catalog, or its page at `path`. The default lists only text models, hence `all`.

    With the ETag of a page as `validator`, the response is a 304 without a body while the page is unchanged.
    """
    return Request(
        method="GET",
        integration=NAME,
        path=path or "/models?output_modalities=all",
        headers={"If-None-Match": validator} if validator and validator.endswith('"') else {},
        max_reply_bytes=MAX_CATALOG_BYTES,
    )


def is_unchanged(reply: Reply, validator: str | None) -> bool:
    """Whether the page in the reply is the one that `validator` identifies."""
    return validator is not None and (reply.status == 304 or (reply.status == 200 and _validator(reply) == validator))


def read_listing(reply: Reply) -> Listing | None:
    """The page in `reply`; None if it is not a catalog, or its link to the next page is not a catalog path."""
    body = mapping(reply.mask.value(parse_catalog(reply.body)))
    rows, link = body.get("data"), text(mapping(body.get("links")).get("next"))
    next_path = _path(link)
    if reply.status != 200 or not isinstance(rows, list) or (link and next_path is None):
        return None
    read, unreadable, skipped = list[Row](), list[str](), list[tuple[str, str]]()
    for row in map(mapping, rows):
        try:
            found = read_row(row)
        except RowSkipped as reason:
            skipped.append((row_id(row) or "", str(reason)))
            continue
        if found:
            read.append(found)
        else:
            unreadable.append(row_id(row) or "")
    return Listing(
        rows=read,
        unreadable=unreadable,
        skipped=skipped,
        total=count(body.get("total_count")),
        next_path=next_path,
        validator=_validator(reply),
    )


def _validator(reply: Reply) -> str:
    return reply.headers.get("etag") or sha256(reply.body).hexdigest()


def _path(link: str | None) -> str | None:
    """The catalog path and query in a link; None for any other link, which is not followed."""
    if link is None:
        return None
    path = "/models" + link.split("/models", 1)[1] if "/models" in link else None
    return path if path and path.startswith("/models?") else None
