"""How an execution changes the rows of its budgets: what it reserves, and what it leaves there when it has ended.

Others' calls of a resource must leave a share of its budget to the owner. With the reserved amounts R of others' open
calls, the spent amount S and the limit C, that is R <= 3/4 (C - S), or 4 R + 3 S <= 3 C. A write cannot compare sums of
attributes, so each row of a resource's budget also counts R (`others_held`) and 4 R + 3 S (`others_weight`).
"""

from collections.abc import Mapping

from instant.domain.executions.execution import Closing, Opening
from instant.domain.usage.budget import BudgetScope, Hold

_HELD, _SPENT = 4, 3
"""The weights of reserved and of spent amounts: a quarter of what is not spent stays for the owner of the resource."""


def is_of_others(opening: Opening, hold: Hold) -> bool:
    """Whether the hold must leave a share of a resource's budget to the resource's owner."""
    return hold.scope is BudgetScope.RESOURCE and not hold.is_share and opening.by_owner is False


def room_of_others(opening: Opening, hold: Hold) -> int:
    """The maximum `others_weight` before this call, unless no other call of others is open."""
    return _SPENT * hold.cap_nanousd - _HELD * opening.reserved_nanousd


def reserved(opening: Opening, hold: Hold) -> Mapping[str, int]:
    """What the opening adds to the row."""
    worst = opening.reserved_nanousd
    others = {"others_held": worst, "others_weight": _HELD * worst} if is_of_others(opening, hold) else {}
    return {"committed": worst, **others}


def settled(opening: Opening, hold: Hold, spent_nanousd: int) -> Mapping[str, int]:
    """What the end of the call adds to the row: the spent amount replaces the reserved one."""
    if hold.is_share:
        return {"committed": -opening.reserved_nanousd}
    changes = {"committed": spent_nanousd - opening.reserved_nanousd, "spent": spent_nanousd}
    if hold.scope is not BudgetScope.RESOURCE:
        return changes
    back = opening.reserved_nanousd if is_of_others(opening, hold) else 0
    weight = _SPENT * spent_nanousd - _HELD * back
    return {**changes, "others_weight": weight, **({"others_held": -back} if back else {})}


def spent_in(opening: Opening, closing: Closing, hold: Hold) -> int:
    """What the budget of the hold counts as spent."""
    return 0 if closing.frees_shared and hold.scope.is_shared else spent(opening, closing)


def spent(opening: Opening, closing: Closing) -> int:
    """The cost as budgets count it: an unknown cost counts as the worst case."""
    cost = closing.receipt.cost_nanousd
    return opening.reserved_nanousd if cost is None else cost
