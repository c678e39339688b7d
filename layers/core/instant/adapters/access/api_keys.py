"""API keys in DynamoDB, stored by the hash of the key, with a second item that maps the key id to the hash."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import batched, islice
from typing import Any, override

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from instant.adapters.access.live_keys import LiveKeys
from instant.adapters.aws.batch_reads import MAX_KEYS, name_of, read_items, these
from instant.adapters.aws.pages import page_of
from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.adapters.aws.transactions import TransactionContended, TransactionRefused, transact
from instant.domain.access.api_key import ApiKey, too_many
from instant.domain.access.identity import with_included
from instant.domain.clock import format_time, parse_time
from instant.domain.errors import Unauthenticated, UpstreamUnavailable
from instant.domain.page import Cursor, Page, PageRequest
from instant.ports.access.api_keys import ApiKeyStore

_ROWS_PER_READ = 100
_NO_HASH = "0" * 64
"""The hash of no key, where the item with the hash of a key has expired."""


class ByUser(GlobalSecondaryIndex["ApiKeyRow"]):  # type: ignore[no-untyped-call]
    """Index of a user's keys by creation time."""

    class Meta:
        """The index in template.yaml."""

        index_name = "by_user"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ApiKeyRow(Table):
    """One API key."""

    key_hash = UnicodeAttribute(hash_key=True)
    key_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    name = UnicodeAttribute()
    last4 = UnicodeAttribute()
    scopes = UnicodeSetAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute(null=True)
    revoked_at = UnicodeAttribute(null=True)
    last_used_at = UnicodeAttribute(null=True)
    parent_id = UnicodeAttribute(null=True)
    ancestors = UnicodeSetAttribute(null=True)
    replaces = UnicodeAttribute(null=True)
    idempotency_namespace = UnicodeAttribute(null=True)
    purge_at = IntegerAttribute(null=True)
    by_user = ByUser()

    def record(self) -> ApiKey:
        """Convert the row to the domain object."""
        ancestors = frozenset(self.ancestors or ())
        values = {name: value for name, value in self.values.items() if name != "purge_at"}
        return ApiKey(**{**values, "scopes": with_included(self.scopes), "ancestors": ancestors})


class KeyIdRow(Table):
    """Maps a key id to its row: `key_hash` holds `id#<key_id>`, `target` the hash. It is in no index."""

    key_hash = UnicodeAttribute(hash_key=True)
    target = UnicodeAttribute()


class DynamoApiKeyStore(ApiKeyStore):
    """API keys in one table."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ApiKeyRow.named(table_name)
        self._ids = KeyIdRow.named(table_name)
        self._live = LiveKeys(table_name)

    @override
    def get(self, key_hash: str) -> ApiKey | None:
        row = self._rows.find(key_hash)
        return row.record() if row else None

    @override
    def find(self, key_id: str) -> ApiKey | None:
        row = self._ids.find(_id_of(key_id))
        return self.get(row.target) if row else None

    @override
    def put(self, key: ApiKey) -> None:
        """Store a new key; hashes are unique. The id item is written first, so that every valid key has one."""
        self._ids(_id_of(key.key_id), target=key.key_hash).save()
        self._row(key).save(condition=self._rows.key_hash.does_not_exist())

    @override
    def create(self, key: ApiKey, *, most: int) -> None:
        """Store key, id and count in one transaction; if it is refused by the count, count again once."""
        try:
            self._transact(key, most)
        except TransactionRefused as error:
            self._refuse_revoked(error)
            self._count_again(key.user_id, most, parse_time(key.created_at))
            self._create_counted(key, most)

    @override
    def of_user(self, user_id: str, page: PageRequest, *, revoked: bool = False) -> Page[ApiKey]:
        """Read as many pages of the index as needed; the cursor names the key by its id, never by its hash."""
        found = self._rows.by_user.query(
            user_id,
            filter_condition=None if revoked else self._rows.revoked_at.does_not_exist(),
            scan_index_forward=False,
            page_size=max(page.limit + 1, _ROWS_PER_READ),
            last_evaluated_key=self._start(user_id, page.after) if page.after else None,
        )
        keys = [row.record() for row in islice(found, page.limit + 1)]
        return page_of(keys, page.limit, lambda key: (key.created_at, key.key_id))

    @override
    def descendants(self, key: ApiKey) -> list[ApiKey]:
        live = self._records(self._live.of(key.user_id) or ())
        return [each for each in live if key.key_id in each.ancestors]

    @override
    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        row = self._rows(key.key_hash)
        row.update(
            actions=[self._rows.revoked_at.set(self._rows.revoked_at | revoked_at)],
            condition=self._rows.key_hash.exists(),
        )
        self._live.remove(key.user_id, [key.key_hash])

    @override
    def note_use(self, key: ApiKey, hour: str) -> None:
        """Record the hour of the last use; of concurrent calls, only the first writes."""
        noted = self._rows.last_used_at
        try:
            self._rows(key.key_hash).update(
                actions=[noted.set(hour)],
                condition=self._rows.key_hash.exists() & (noted.does_not_exist() | (noted < hour)),
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise

    def _create_counted(self, key: ApiKey, most: int) -> None:
        try:
            self._transact(key, most)
        except TransactionRefused as error:
            self._refuse_revoked(error)
            raise too_many(most) from None

    def _transact(self, key: ApiKey, most: int) -> None:
        """Write the key; if it is not known whether that succeeded, the key is revoked, since no caller has seen it."""
        writes = dict(self._writes(key, most))
        try:
            transact(writes)
        except TransactionRefused:
            raise
        except TransactionContended:
            raise UpstreamUnavailable("The key was not created. Try again in a moment.", retry_after=1) from None
        except Exception:
            self._row(replace(key, revoked_at=key.created_at)).save()
            self._live.remove(key.user_id, [key.key_hash])
            raise

    def _writes(self, key: ApiKey, most: int) -> Iterator[tuple[str, dict[str, Any]]]:
        table, row = name_of(self._rows), self._row(key)
        unused = {"TableName": table, "ConditionExpression": "attribute_not_exists(key_hash)"}
        yield "count", self._live.addition(key.user_id, key.key_hash, most)
        yield "key", {"Put": {**unused, "Item": row.serialize()}}
        yield "id", {"Put": {**unused, "Item": self._ids(_id_of(key.key_id), target=key.key_hash).serialize()}}
        if key.parent_id:
            usable = "attribute_exists(key_hash) AND attribute_not_exists(revoked_at)"
            parent = self._ids.find(_id_of(key.parent_id))
            hashed = {"key_hash": {"S": parent.target if parent else _NO_HASH}}
            yield "parent", {"ConditionCheck": {"TableName": table, "Key": hashed, "ConditionExpression": usable}}

    def _refuse_revoked(self, error: TransactionRefused) -> None:
        if "parent" in error.refused:
            raise Unauthenticated("The API key that you use was revoked. Use another one.") from None
        if error.refused != {"count"}:
            raise error

    def _count_again(self, user_id: str, most: int, now: datetime) -> None:
        """Begin to count the user's keys, or remove from the count those that have expired."""
        counted = self._live.of(user_id)
        if counted is None:
            rows = self._rows.by_user.query(user_id, filter_condition=self._rows.revoked_at.does_not_exist())
            live = [key for row in rows if (key := row.record()).is_valid(now)]
            if len(live) >= most:
                raise too_many(most)
            self._live.begin(user_id, [key.key_hash for key in live], format_time(now))
        else:
            valid = {key.key_hash for key in self._records(counted) if key.is_valid(now)}
            self._live.remove(user_id, counted - valid)

    def _records(self, hashes: Iterable[str]) -> list[ApiKey]:
        """The keys with these hashes, read consistently."""
        table = name_of(self._rows)
        items = [
            item
            for some in batched(hashes, MAX_KEYS, strict=False)
            for item in read_items({table: these([{"key_hash": {"S": each}} for each in some])}).get(table, [])
        ]
        return [self._rows.from_raw_data(item).record() for item in items]

    def _row(self, key: ApiKey) -> ApiKeyRow:
        fields = {name: getattr(key, name) for name in ApiKey.__dataclass_fields__}
        scopes = {scope.value for scope in key.scopes}
        return self._rows(**{**fields, "scopes": scopes, "ancestors": set(key.ancestors) or None})

    def _start(self, user_id: str, after: Cursor) -> dict[str, Any]:
        """Where a query of the index continues; the row of the last key may have expired since."""
        row = self._ids.find(_id_of(after.item_id))
        start = {"user_id": user_id, "created_at": after.sort, "key_hash": row.target if row else _NO_HASH}
        return {name: {"S": value} for name, value in start.items()}


def _id_of(key_id: str) -> str:
    return f"id#{key_id}"
