"""Budgets as rows of the limits table: `budget#user#user_1` holds the limits, `spend#…` the spend."""

from collections.abc import Iterable, Mapping
from typing import Any

from instant.domain.usage.budget import Budget, Spending, Subject

PREFIX = "budget#"
_CAPS = ("daily_nanousd", "monthly_nanousd")


def budget_key(subject: Subject) -> dict[str, Any]:
    """The key of a subject's row."""
    return {"name": {"S": PREFIX + subject.name}}


def caps_update(budget: Budget) -> dict[str, Any]:
    """The update that sets the limits of a row and removes the missing ones."""
    caps = {name: getattr(budget, name) for name in _CAPS}
    given = {f":{name}": {"N": str(cap)} for name, cap in caps.items() if cap is not None}
    gone = [name for name, cap in caps.items() if cap is None]
    removal = f" REMOVE {', '.join(gone)}" if gone else ""
    return {
        "UpdateExpression": f"SET {', '.join(f'{name[1:]} = {name}' for name in given)}{removal}",
        "ExpressionAttributeValues": given,
    }


def budget_of(row: Mapping[str, Any]) -> Budget:
    """The budget in a row."""
    caps = {name: int(row[name]["N"]) for name in _CAPS if name in row}
    return Budget(subject=Subject.named(row["name"]["S"].removeprefix(PREFIX)), **caps)


def spending_of(parts: Iterable[Mapping[str, Any]]) -> Spending:
    """The sum of the rows of one budget and period; `committed` is spend plus holds."""
    parts = list(parts)
    spent, committed = (sum(int(row.get(name, {"N": "0"})["N"]) for row in parts) for name in ("spent", "committed"))
    return Spending(spent, committed - spent)
