"""Users' integrations with external services in DynamoDB."""

from dataclasses import asdict
from typing import override

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError

from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.domain.access.integration import Integration, KeyStatus
from instant.ports.access.integrations import IntegrationStore, KeyStatusStore

USER = "#user"
"""Sort key of the row that holds the user's settings, in place of a service name."""


class IntegrationRow(Table):
    """One user's encrypted key for one service."""

    user_id = UnicodeAttribute(hash_key=True)
    service = UnicodeAttribute(range_key=True)
    ciphertext = BinaryAttribute(legacy_encoding=False)
    hint = UnicodeAttribute()
    key_sha256 = UnicodeAttribute()
    status = UnicodeAttribute()
    is_enabled = BooleanAttribute()
    label = UnicodeAttribute(null=True)
    limit_remaining = UnicodeAttribute(null=True)
    max_cost_per_call_nanousd = IntegerAttribute(null=True)
    last_verified_at = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()

    def record(self) -> Integration:
        """Convert the row to the domain object."""
        return Integration(**{**self.values, "status": KeyStatus(self.status)})


class UserRow(Table):
    """A user's settings, in the same table, under a name that is not a service."""

    user_id = UnicodeAttribute(hash_key=True)
    service = UnicodeAttribute(range_key=True, default=USER)
    max_cost_per_call_nanousd = IntegerAttribute()


class DynamoIntegrationStore(IntegrationStore, KeyStatusStore):
    """Integrations and users' settings in one table; also where the status of keys is stored."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = IntegrationRow.named(table_name)
        self._users = UserRow.named(table_name)

    @override
    def get(self, user_id: str, service: str) -> Integration | None:
        row = self._rows.find(user_id, service)
        return row.record() if row else None

    @override
    def put(self, integration: Integration) -> None:
        self._rows(**{**asdict(integration), "status": integration.status.value}).save()

    @override
    def delete(self, user_id: str, service: str) -> None:
        self._rows(user_id, service).delete()

    @override
    def enable(self, user_id: str, service: str, is_enabled: bool) -> bool:
        try:
            self._rows(user_id, service).update(
                actions=[self._rows.is_enabled.set(is_enabled)], condition=self._rows.ciphertext.exists()
            )
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    @override
    def cap_of(self, user_id: str) -> int | None:
        row = self._users.find(user_id, USER)
        return row.max_cost_per_call_nanousd if row else None

    @override
    def set_cap(self, user_id: str, nanousd: int) -> None:
        self._users(user_id, max_cost_per_call_nanousd=nanousd).save()

    @override
    def set(self, integration: Integration, status: KeyStatus, at: str, limit_remaining: str | None = None) -> None:
        row = self._rows(integration.user_id, integration.service)
        remaining = self._rows.limit_remaining
        try:
            row.update(
                actions=[
                    self._rows.status.set(status.value),
                    self._rows.last_verified_at.set(at),
                    remaining.set(limit_remaining) if limit_remaining is not None else remaining.remove(),
                ],
                condition=self._rows.key_sha256 == integration.key_sha256,
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
