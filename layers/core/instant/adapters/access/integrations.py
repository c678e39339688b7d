"""Users' integrations with external services in DynamoDB."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, override

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

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
    lacks_credits = BooleanAttribute(null=True)
    times_refused = IntegerAttribute(null=True)
    refused_at = UnicodeAttribute(null=True)
    next_check_at = UnicodeAttribute(null=True)

    def record(self) -> Integration:
        """Convert the row to the domain object."""
        return Integration(**{**self.values, "status": KeyStatus(self.status)})


class UserRow(Table):
    """A user's settings, in the same table, under a name that is not a service."""

    user_id = UnicodeAttribute(hash_key=True)
    service = UnicodeAttribute(range_key=True, default=USER)
    max_cost_per_call_nanousd = IntegerAttribute()


_STATUS = (
    "status", "limit_remaining", "last_verified_at", "lacks_credits", "times_refused", "refused_at", "next_check_at",
)  # fmt: skip
"""The attributes that say what the service answered."""


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
    def set(self, integration: Integration) -> None:
        self._update_status(integration, _STATUS)

    @override
    def claim_check(self, integration: Integration, claimed: Integration) -> bool:
        seen, at = self._rows.next_check_at, integration.next_check_at
        return self._update_status(claimed, ["next_check_at"], seen == at if at else seen.does_not_exist())

    def _update_status(
        self, integration: Integration, names: Sequence[str], condition: Condition | None = None
    ) -> bool:
        """Update these attributes of the row if it still has this key; None and the defaults are left out."""
        row = self._rows(integration.user_id, integration.service)
        is_same = self._rows.key_sha256 == integration.key_sha256
        try:
            row.update(
                actions=[_change(getattr(self._rows, name), getattr(integration, name)) for name in names],
                condition=is_same if condition is None else is_same & condition,
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _change(attribute: Any, value: object) -> Action:
    action: Action = attribute.set(value) if value else attribute.remove()
    return action
