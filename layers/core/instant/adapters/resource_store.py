"""Resources in DynamoDB, each with a second item that makes its address unique."""

from dataclasses import asdict
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from instant.adapters.pages import page_of
from instant.adapters.tables import IntegerAttribute, Table
from instant.domain.errors import AddressTaken, RevisionConflict
from instant.domain.page import Page, PageRequest
from instant.domain.resource import Resource, Visibility

_LISTED = "public"
_LOST = {"ConditionalCheckFailed", "TransactionConflict"}


class ByOwner(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """A user's resources by time."""

    class Meta:
        """The index in template.yaml."""

        index_name = "by_owner"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class Public(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Public resources by time: only listed rows are in it."""

    class Meta:
        """The index in template.yaml."""

        index_name = "public"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ResourceRow(Table):
    """One resource."""

    resource_id = UnicodeAttribute(hash_key=True)
    owner_id = UnicodeAttribute()
    resource_type = UnicodeAttribute()
    name = UnicodeAttribute()
    slug = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    visibility = UnicodeAttribute()
    listing = UnicodeAttribute(null=True)
    ai_model_id = UnicodeAttribute()
    config = JSONAttribute()
    revision = IntegerAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    deleted_at = UnicodeAttribute(null=True)
    by_owner = ByOwner()
    public = Public()

    def record(self) -> Resource:
        """The row as the domain knows it."""
        fields = {name: value for name, value in self.values.items() if name != "listing"}
        return Resource(**{**fields, "visibility": Visibility(self.visibility)})


class AddressRow(Table):
    """Who has an address: `resource_id` holds `addr#handle/slug`, `target` the resource."""

    resource_id = UnicodeAttribute(hash_key=True)
    target = UnicodeAttribute()


class DynamoResourceStore:
    """Resources and their addresses in one table."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(table_name)
        self._addresses = AddressRow.named(table_name)

    def get(self, resource_id: str) -> Resource | None:
        """The resource, read consistently."""
        if resource_id.startswith("addr#"):
            return None
        row = self._rows.find(resource_id)
        return row.record() if row and row.values.get("deleted_at") is None else None

    def find(self, address: str) -> Resource | None:
        """The resource at `handle/slug`, read consistently."""
        row = self._addresses.find(f"addr#{address}")
        return self.get(row.target) if row else None

    def create(self, resource: Resource) -> None:
        """Store a new one; `AddressTaken` if its owner already has the slug."""
        try:
            with self._transaction() as write:
                write.save(self._row(resource), condition=self._rows.resource_id.does_not_exist())
                self._claim(write, resource)
        except TransactWriteError as error:
            raise _conflict(error, resource, own=0) from None

    def replace(self, old: Resource, new: Resource) -> None:
        """Store `new` if `old` is still current; its address may move."""
        moves = new.address != old.address
        try:
            with self._transaction() as write:
                write.save(self._row(new), condition=self._is_current(old))
                if moves:
                    self._claim(write, new)
                    write.delete(self._addresses(f"addr#{old.address}"))
        except TransactWriteError as error:
            raise _conflict(error, new, own=1 if moves else 0) from None

    def delete(self, resource: Resource, deleted_at: str) -> None:
        """Mark it deleted, take it out of the listings, free its address."""
        row = self._rows(resource.resource_id)
        actions: list[Action] = [self._rows.deleted_at.set(deleted_at), self._rows.listing.remove()]
        try:
            with self._transaction() as write:
                write.update(row, actions=actions, condition=self._is_current(resource))
                write.delete(self._addresses(f"addr#{resource.address}"))
        except TransactWriteError as error:
            raise _conflict(error, resource, own=1) from None

    def owned_by(self, user_id: str, page: PageRequest) -> Page[Resource]:
        """A user's own resources, newest first."""
        return self._page(ByOwner, user_id, "owner_id", page)

    def public(self, page: PageRequest) -> Page[Resource]:
        """Everybody's public resources, newest first."""
        return self._page(Public, _LISTED, "listing", page)

    def _page(self, index: Any, hash_value: str, hash_name: str, page: PageRequest) -> Page[Resource]:
        start = page.after and {
            hash_name: {"S": hash_value},
            "created_at": {"S": page.after.sort},
            "resource_id": {"S": page.after.item_id},
        }
        found = getattr(self._rows, index.Meta.index_name).query(
            hash_value,
            filter_condition=self._rows.deleted_at.does_not_exist(),
            scan_index_forward=False,
            limit=page.limit + 1,
            last_evaluated_key=start,
        )
        return page_of([row.record() for row in found], page.limit, lambda r: (r.created_at, r.resource_id))

    def _row(self, resource: Resource) -> ResourceRow:
        fields = {**asdict(resource), "visibility": resource.visibility.value}
        listing = _LISTED if resource.visibility is Visibility.PUBLIC else None
        return self._rows(**fields, listing=listing)

    def _claim(self, write: TransactWrite, resource: Resource) -> None:
        row = self._addresses(f"addr#{resource.address}", target=resource.resource_id)
        write.save(row, condition=self._addresses.resource_id.does_not_exist())

    def _is_current(self, resource: Resource) -> Condition:
        current: Condition = (self._rows.revision == resource.revision) & self._rows.deleted_at.does_not_exist()
        return current

    def _transaction(self) -> TransactWrite:
        connection: Connection = self._rows._get_connection().connection
        return TransactWrite(connection=connection)


def _conflict(error: TransactWriteError, resource: Resource, own: int) -> Exception:
    """Which item stood in the way: the resource's `own` or its new address; pynamodb sends deletions first."""
    failed = [reason is not None and reason.code in _LOST for reason in error.cancellation_reasons]
    if failed[own : own + 1] == [True]:
        return RevisionConflict("The resource was changed meanwhile. Read it again, then repeat your change.")
    if any(failed):
        return AddressTaken(f"You already have a resource with the slug '{resource.slug}'. Choose another slug.")
    return error
