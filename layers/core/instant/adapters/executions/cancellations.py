"""Cancellations as an attribute of the execution's row, which its run reads."""

from typing import override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.adapters.aws.transactions import is_refused
from instant.adapters.executions.ledger_rows import item, values
from instant.domain.executions.execution import State
from instant.ports.executions.cancellations import Cancellations


class DynamoCancellations(Cancellations):
    """Sets the attribute `cancel_requested_at`, once."""

    def __init__(self, executions_table: str) -> None:
        """Use the table of this name."""
        self._table = executions_table

    @override
    def request(self, execution_id: str, user_id: str, now: str) -> bool:
        try:
            client("dynamodb").update_item(
                TableName=self._table,
                Key=item(execution_id=execution_id),
                UpdateExpression="SET cancel_requested_at = if_not_exists(cancel_requested_at, :now)",
                ConditionExpression="user_id = :user AND streamed = :one AND #state IN (:reserved, :sent)",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=values(
                    now=now, user=user_id, one=1, reserved=State.RESERVED, sent=State.SENT
                ),
            )
        except ClientError as error:
            if not is_refused(error):
                raise
            return False
        return True
