"""Resources in DynamoDB by id and by address."""

from typing import override

from instant.adapters.resources.rows import AddressRow, ResourceRow
from instant.domain.resources.resource import Resource
from instant.ports.resources.store import ResourceReader


class DynamoResourceReader(ResourceReader):
    """Resources and their addresses in one table."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(table_name)
        self._addresses = AddressRow.named(table_name)

    @override
    def get(self, resource_id: str) -> Resource | None:
        if "#" in resource_id:
            return None
        row = self._rows.find(resource_id)
        return row.record() if row and row.values.get("deleted_at") is None else None

    @override
    def find(self, address: str) -> Resource | None:
        row = self._addresses.find(f"addr#{address}")
        return self.get(row.target) if row else None
