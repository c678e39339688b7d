"""Budgets in DynamoDB: one row per budget, and one row per owner that lists the budgets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any, override

from instant.adapters.aws.batch_reads import MAX_KEYS, read_items, these
from instant.adapters.aws.client import client
from instant.adapters.aws.transactions import TransactionRefused, transact
from instant.adapters.usage.budget_rows import budget_key, budget_of, caps_update, spending_of
from instant.domain.limits import MAX_BUDGETS
from instant.domain.usage.budget import Budget, Period, Spending, Subject, rows, too_many
from instant.ports.usage.budgets import BudgetStore

type Row = dict[str, Any]


class DynamoBudgetStore(BudgetStore):
    """Reads and writes budgets in the limits table; spend is written only by the ledger."""

    def __init__(self, limits_table: str) -> None:
        """Use the table of this name."""
        self._table = limits_table

    @override
    def get(self, subject: Subject) -> Budget | None:
        row = self._row(budget_key(subject))
        return budget_of(row) if row else None

    @override
    def of_owner(self, owner_id: str) -> Sequence[Budget]:
        keys = [budget_key(Subject.named(name)) for name in self._names(owner_id)]
        return [budget_of(row) for row in self._rows(keys)]

    @override
    def put(self, owner_id: str, budget: Budget) -> None:
        """Set the budget, or delete it if it has no limit; the owner's list is updated in the same transaction.

        Raises `InvalidField` if the owner would have too many budgets, also with concurrent requests; budgets that have
        expired do not count.
        """
        try:
            self._put(owner_id, budget)
        except TransactionRefused:
            self._forget_expired(owner_id)
            try:
                self._put(owner_id, budget)
            except TransactionRefused:
                raise too_many(MAX_BUDGETS) from None

    @override
    def spending(self, subjects: Sequence[Subject], at: datetime) -> Mapping[Subject, Mapping[Period, Spending]]:
        places = {(subject, period): rows(subject, period, at) for subject in subjects for period in Period}
        keys = [{"name": {"S": name}} for names in places.values() for name in names]
        found = {row["name"]["S"]: row for row in self._rows(keys)}
        return {
            subject: {
                period: spending_of([found[name] for name in places[subject, period] if name in found])
                for period in Period
            }
            for subject in subjects
        }

    def _put(self, owner_id: str, budget: Budget) -> None:
        is_set = any(True for _ in budget.caps())
        own = self._set(budget) if is_set else {"Delete": {"TableName": self._table, "Key": budget_key(budget.subject)}}
        transact({"budget": own, "list": {"Update": self._noted(owner_id, budget.subject, is_set=is_set)}})

    def _set(self, budget: Budget) -> Row:
        """The update of the limits, which keeps the expiry of a budget whose key or resource was deleted meanwhile."""
        return {"Update": {"TableName": self._table, "Key": budget_key(budget.subject), **caps_update(budget)}}

    def _forget_expired(self, owner_id: str) -> None:
        """Remove from the owner's list the budgets that do not exist any more."""
        listed = set(self._names(owner_id))
        expired = sorted(listed - {budget.subject.name for budget in self.of_owner(owner_id)})
        if expired:
            client("dynamodb").update_item(
                TableName=self._table,
                Key=_list_key(owner_id),
                UpdateExpression="DELETE subjects :names",
                ExpressionAttributeValues={":names": {"SS": expired}},
            )

    def _names(self, owner_id: str) -> list[str]:
        names: list[str] = self._row(_list_key(owner_id)).get("subjects", {"SS": []})["SS"]
        return names

    def _noted(self, owner_id: str, subject: Subject, *, is_set: bool) -> Row:
        """The update of the owner's list; a budget that is already listed is always accepted."""
        update = {"TableName": self._table, "Key": _list_key(owner_id)}
        names = {":names": {"SS": [subject.name]}}
        if not is_set:
            return {**update, "UpdateExpression": "DELETE subjects :names", "ExpressionAttributeValues": names}
        return {
            **update,
            "UpdateExpression": "ADD subjects :names",
            "ConditionExpression": "attribute_not_exists(subjects) OR size(subjects) < :most"
            " OR contains(subjects, :name)",
            "ExpressionAttributeValues": {
                **names,
                ":name": {"S": subject.name},
                ":most": {"N": str(MAX_BUDGETS)},
            },
        }

    def _row(self, key: Row) -> Row:
        reply = client("dynamodb").get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(reply.get("Item", {}))

    def _rows(self, keys: Sequence[Row]) -> list[Row]:
        """The existing rows, with consistent reads."""
        parts = (read_items({self._table: these(list(part))}) for part in batched(keys, MAX_KEYS, strict=False))
        return [row for part in parts for row in part.get(self._table, [])]


def _list_key(owner_id: str) -> Row:
    return {"name": {"S": f"budgets-of#{owner_id}"}}
