"""Resources in DynamoDB, each with a second item that makes its address unique."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import override

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from instant.adapters.resources.counts import ResourceCounts
from instant.adapters.resources.expiry import ExpiringRows
from instant.adapters.resources.reader import DynamoResourceReader
from instant.adapters.resources.rows import FallbackRow, ResourceRow, ranks_of, values_of
from instant.domain.backoff import Backoff
from instant.domain.clock import expiry_after
from instant.domain.errors import AddressTaken, RevisionConflict
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource, Visibility, too_many
from instant.ports.resources.store import ResourceStore

_BACKOFF = Backoff(attempts=6, initial=0.02, max=0.32)
_FAILED = "ConditionalCheckFailed"
_PASSING = "TransactionConflict"
_RESOURCE, _COUNT = "resource", "count"


type Fill = Callable[[TransactWrite], None]


class _CountRefused(Exception):
    """The number of resources is at its maximum, or was never counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTables:
    """The names of the tables with rows of a resource: its own, its statistics, and its budget."""

    resources: str
    stats: str
    limits: str


class DynamoResourceStore(DynamoResourceReader, ResourceStore):
    """Resources, their addresses, their fallbacks and their number per user."""

    def __init__(self, tables: ResourceTables, *, days_kept: int, max_per_user: int) -> None:
        """Use these tables; rows of deleted resources expire after `days_kept` days."""
        super().__init__(tables.resources)
        self._fallbacks = FallbackRow.named(tables.resources)
        self._counts = ResourceCounts(tables.resources)
        self._expiring = ExpiringRows(tables.stats, tables.limits)
        self._days_kept = days_kept
        self._max_per_user = max_per_user

    @override
    def create(self, resource: Resource) -> None:

        def fill(write: TransactWrite) -> None:
            self._claim(write, resource)
            self._note_fallbacks(write, resource)
            write.save(self._new_row(resource), condition=self._rows.resource_id.does_not_exist())
            self._counts.add(write, resource.owner_id, self._max_per_user)

        self._write_counted(fill, resource, (_RESOURCE, _COUNT))

    @override
    def replace(self, old: Resource, new: Resource) -> None:
        row = self._rows(new.resource_id)

        def fill(write: TransactWrite) -> None:
            if new.address != old.address:
                self._claim(write, new)
                write.delete(self._addresses(f"addr#{old.address}"))
            self._note_fallbacks(write, new, old)
            write.update(row, actions=row.write(new), condition=self._is_current(old))

        self._write(fill, new)

    @override
    def delete(self, resource: Resource, deleted_at: str) -> None:
        """Mark it deleted, remove it from the lists and release its address; it expires with its budget."""
        rows, expiry = self._rows, expiry_after(deleted_at, self._days_kept)
        row = rows(resource.resource_id)
        actions: list[Action] = [
            rows.deleted_at.set(deleted_at), rows.expires_at.set(expiry), rows.listing.remove()
        ]  # fmt: skip

        def fill(write: TransactWrite) -> None:
            write.delete(self._addresses(f"addr#{resource.address}"))
            for fallback in self._fallbacks.of(resource):
                write.delete(fallback)
            self._expiring.add_budget(write, resource.resource_id, expiry)
            self._counts.subtract(write, resource.owner_id)
            write.update(row, actions=actions, condition=self._is_current(resource))

        self._write_counted(fill, resource, (_COUNT, _RESOURCE))
        self._expiring.expire_totals(resource.resource_id, expiry)

    def _write_counted(self, fill: Fill, resource: Resource, last: Sequence[str]) -> None:
        """Run a transaction that changes the number of resources; if they were never counted, count them before."""
        with suppress(_CountRefused):
            return self._write(fill, resource, last)
        self._counts.begin(resource.owner_id)
        try:
            return self._write(fill, resource, last)
        except _CountRefused:
            raise too_many(self._max_per_user) from None

    def _write(self, fill: Fill, resource: Resource, last: Sequence[str] = (_RESOURCE,)) -> None:
        """Run one transaction; conflicts with other writes, such as a ranking, are retried with backoff.

        `last` names the last writes in the order in which pynamodb sends them: deletes, puts, then updates.
        """
        connection: Connection = self._rows._get_connection().connection
        for delay in (*_BACKOFF.delays(), None):
            try:
                with TransactWrite(connection=connection) as write:
                    fill(write)
                return
            except TransactWriteError as error:
                codes = [reason.code if reason else None for reason in error.cancellation_reasons]
                if _FAILED in codes or _PASSING not in codes or delay is None:
                    raise _conflict(codes, last, resource) or error from None
            time.sleep(delay)

    def _new_row(self, resource: Resource) -> ResourceRow:
        is_public = resource.visibility is Visibility.PUBLIC
        ranks = ranks_of(resource.resource_id, UseCounts()) if is_public else {}
        return self._rows(resource.resource_id, **values_of(resource), **ranks)

    def _claim(self, write: TransactWrite, resource: Resource) -> None:
        row = self._addresses(f"addr#{resource.address}", target=resource.resource_id)
        write.save(row, condition=self._addresses.resource_id.does_not_exist())

    def _note_fallbacks(self, write: TransactWrite, new: Resource, old: Resource | None = None) -> None:
        """Store the rows of the new fallbacks, and delete those that are no longer used."""
        before = {row.resource_id: row for row in self._fallbacks.of(old)} if old else {}
        after = {row.resource_id: row for row in self._fallbacks.of(new)}
        for key in before.keys() - after.keys():
            write.delete(before[key])
        for key, row in after.items():
            if key not in before or old is None or old.successor_policy is not new.successor_policy:
                write.save(row)

    def _is_current(self, resource: Resource) -> Condition:
        current: Condition = (self._rows.revision == resource.revision) & self._rows.deleted_at.does_not_exist()
        return current


def _conflict(codes: Sequence[str | None], last: Sequence[str], resource: Resource) -> Exception | None:
    """Which condition failed; those of the other writes are conditions of addresses."""
    named = dict(zip(last, codes[-len(last) :], strict=False))
    if named.get(_COUNT) == _FAILED:
        return _CountRefused()
    if named.get(_RESOURCE) == _FAILED:
        return RevisionConflict("The resource was changed by another request. Read it again, then repeat your change.")
    if _FAILED in codes:
        return AddressTaken(f"You already have a resource with the slug '{resource.slug}'. Choose another slug.")
    return None
