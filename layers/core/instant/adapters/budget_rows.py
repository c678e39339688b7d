"""A budget as a row of the limits table: `budget#user#user_1`, with what may be spent in a day and in a month."""

from collections.abc import Mapping
from typing import Any

from instant.domain.budget import Budget, Subject

PREFIX = "budget#"


def budget_key(subject: Subject) -> dict[str, Any]:
    """The key of a subject's row."""
    return {"name": {"S": PREFIX + subject.name}}


def budget_of(row: Mapping[str, Any]) -> Budget:
    """The budget in a row."""
    caps = {name: int(row[name]["N"]) for name in ("daily_nanousd", "monthly_nanousd") if name in row}
    return Budget(subject=Subject.named(row["name"]["S"].removeprefix(PREFIX)), **caps)
