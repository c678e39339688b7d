"""A sliding window of starts that takes the same space at any limit: starts are counted by slots of five seconds.

A slot counts until all of it is older than the window. So a period of the rate's length never has more starts than the
limit, and a start can be refused for up to five seconds longer than the rate requires.
"""

from dataclasses import dataclass
from typing import Self

from instant.domain.limits import Rate

SLOT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class StartWindow:
    """The starts that count in `slot`.

    `total` is the number of starts so far. Each of `marks` is a slot with starts that count, and the total before them.
    """

    slot: int
    total: int = 0
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        """How many starts count."""
        return self.total - self.marks[0][1] if self.marks else 0

    def moved_to(self, slot: int, rate: Rate) -> Self:
        """The window in a later slot; a clock that is behind does not move it back."""
        slot = max(slot, self.slot)
        marks = tuple(mark for mark in self.marks if mark[0] >= oldest_slot(slot, rate))
        return type(self)(slot, self.total if marks else 0, marks)

    def with_start(self) -> Self:
        """The window with one more start, in its slot."""
        is_first = not self.marks or self.marks[-1][0] < self.slot
        marks = (*self.marks, (self.slot, self.total)) if is_first else self.marks
        return type(self)(self.slot, self.total + 1, marks)

    def max_total(self, rate: Rate) -> int:
        """The total at which no more starts are allowed in this slot."""
        return rate.limit + self.total - self.count

    def free_at(self, rate: Rate) -> float:
        """When its oldest starts no longer count, in seconds since 1970; for a window with starts."""
        return (self.marks[0][0] + _reach(rate) + 1) * SLOT_SECONDS


def slot_at(seconds: float) -> int:
    """The slot of a time, in seconds since 1970."""
    return int(seconds) // SLOT_SECONDS


def oldest_slot(slot: int, rate: Rate) -> int:
    """The oldest slot with starts that count in `slot`."""
    return slot - _reach(rate)


def _reach(rate: Rate) -> int:
    return -(-rate.seconds // SLOT_SECONDS)
