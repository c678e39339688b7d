"""Users' connections to outside services in DynamoDB."""

from dataclasses import asdict

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from instant.adapters.tables import IntegerAttribute, Table
from instant.domain.integration import Integration, KeyStatus


class IntegrationRow(Table):
    """One user's key for one service, sealed."""

    user_id = UnicodeAttribute(hash_key=True)
    service = UnicodeAttribute(range_key=True)
    ciphertext = BinaryAttribute(legacy_encoding=False)
    hint = UnicodeAttribute()
    key_sha256 = UnicodeAttribute()
    status = UnicodeAttribute()
    is_enabled = BooleanAttribute()
    label = UnicodeAttribute(null=True)
    limit_remaining = UnicodeAttribute(null=True)
    max_cost_per_call_nanousd = IntegerAttribute()
    last_verified_at = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()

    def record(self) -> Integration:
        """The row as the domain knows it."""
        return Integration(**{**self.values, "status": KeyStatus(self.status)})


class DynamoIntegrationStore:
    """Connections in one table; also where verdicts on keys are noted."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = IntegrationRow.named(table_name)

    def get(self, user_id: str, service: str) -> Integration | None:
        """The connection, read consistently."""
        row = self._rows.find(user_id, service)
        return row.record() if row else None

    def put(self, integration: Integration) -> None:
        """Store it, replacing the one before."""
        self._rows(**{**asdict(integration), "status": integration.status.value}).save()

    def delete(self, user_id: str, service: str) -> None:
        """Forget it."""
        self._rows(user_id, service).delete()

    def configure(
        self, user_id: str, service: str, *, is_enabled: bool | None, max_cost_per_call_nanousd: int | None
    ) -> Integration | None:
        """Change what is not None; None if there is no connection."""
        changes: list[Action] = []
        if is_enabled is not None:
            changes.append(self._rows.is_enabled.set(is_enabled))
        if max_cost_per_call_nanousd is not None:
            changes.append(self._rows.max_cost_per_call_nanousd.set(max_cost_per_call_nanousd))
        row = self._rows(user_id, service)
        try:
            row.update(actions=changes, condition=self._rows.ciphertext.exists())
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return None
            raise
        return row.record()

    def note(self, integration: Integration, status: KeyStatus, at: str, limit_remaining: str | None = None) -> None:
        """Note what the service said, unless the key was replaced or deleted meanwhile."""
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
