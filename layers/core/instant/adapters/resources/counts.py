"""The number of each user's resources, kept by the transactions that create and delete them."""

from pynamodb.exceptions import PutError
from pynamodb.transactions import TransactWrite

from instant.adapters.resources.rows import CountRow, ResourceRow


class ResourceCounts:
    """Counts in the table of resources."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ResourceRow.named(table_name)
        self._counts = CountRow.named(table_name)

    def add(self, write: TransactWrite, owner_id: str, most: int) -> None:
        """One resource more, if there are fewer than `most`; refused if the user's resources were never counted."""
        count = self._counts
        write.update(count(_key(owner_id)), actions=[count.live.add(1)], condition=count.live < most)

    def subtract(self, write: TransactWrite, owner_id: str) -> None:
        """One resource less; refused if the user's resources were never counted."""
        count = self._counts
        write.update(count(_key(owner_id)), actions=[count.live.add(-1)], condition=count.live.exists())

    def begin(self, owner_id: str) -> None:
        """Count the resources that the user has, if they were never counted; of concurrent calls, the first writes."""
        if self._counts.find(_key(owner_id)):
            return
        live = self._rows.owned.count(owner_id, filter_condition=self._rows.deleted_at.does_not_exist())
        try:
            self._counts(_key(owner_id), live=live).save(condition=self._counts.live.does_not_exist())
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise


def _key(owner_id: str) -> str:
    return f"count#{owner_id}"
