"""API keys in DynamoDB, stored by the hash of the key, with a second item that maps the key id to the hash."""

from typing import override

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from instant.adapters.aws.tables import Table
from instant.domain.access.api_key import ApiKey
from instant.domain.access.identity import with_included
from instant.ports.access.api_keys import ApiKeyStore


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
    by_user = ByUser()

    def record(self) -> ApiKey:
        """Convert the row to the domain object."""
        return ApiKey(**{**self.values, "scopes": with_included(self.scopes)})


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

    @override
    def get(self, key_hash: str) -> ApiKey | None:
        row = self._rows.find(key_hash)
        return row.record() if row else None

    @override
    def find(self, key_id: str) -> ApiKey | None:
        row = self._ids.find(f"id#{key_id}")
        return self.get(row.target) if row else None

    @override
    def put(self, key: ApiKey) -> None:
        """Store a new key; hashes are unique. The id item is written first, so that every valid key has one."""
        self._ids(f"id#{key.key_id}", target=key.key_hash).save()
        fields = {name: getattr(key, name) for name in ApiKey.__dataclass_fields__}
        row = self._rows(**{**fields, "scopes": {scope.value for scope in key.scopes}})
        row.save(condition=self._rows.key_hash.does_not_exist())

    @override
    def of_user(self, user_id: str) -> list[ApiKey]:
        return [row.record() for row in self._rows.by_user.query(user_id, scan_index_forward=False)]

    @override
    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        row = self._rows(key.key_hash)
        row.update(
            actions=[self._rows.revoked_at.set(self._rows.revoked_at | revoked_at)],
            condition=self._rows.key_hash.exists(),
        )

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
