"""How starts of executions are stored in a user's row of the limits table, and the writes that count one more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from instant.domain.access.start_window import StartWindow, oldest_slot
from instant.domain.limits import Rate

OLD_STARTS = "starts"
"""The attribute in which an earlier version stored each start; it is removed, and its starts do not count."""


@dataclass(frozen=True, slots=True)
class StartWrite:
    """A conditional write that counts a start: what follows ADD and SET in its expression, condition and values."""

    add: str
    set: str
    condition: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredStarts:
    """The starts in a row, and the limit that they were counted with."""

    window: StartWindow
    limit: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self | None:
        """The starts in a row, if it has any."""
        if "start_slot" not in row:
            return None
        pairs = (pair.split(":") for pair in row["start_marks"]["S"].split())
        marks = tuple((int(slot), int(before)) for slot, before in pairs)
        window = StartWindow(int(row["start_slot"]["N"]), int(row["started"]["N"]), marks)
        return cls(window, int(row["start_limit"]["N"]))


def start_write(known: StoredStarts | None, slot: int, rate: Rate) -> StartWrite:
    """The write that counts a start in `slot` if the row is as known; if nothing is known, if none in it counts.

    Within a slot, starts only add to the total, so concurrent ones do not conflict. The first start in a slot writes
    the whole window.
    """
    before = known.window if known else StartWindow(slot)
    moved = before.moved_to(slot, rate)
    is_stored = known and known.limit == rate.limit and before.slot == moved.slot
    if is_stored or moved.count >= rate.limit:
        return _addition(slot, rate)
    if moved.marks:
        is_known = "start_slot = :known_slot AND started = :known_total"
        return _whole(moved, rate, is_known, known_slot=before.slot, known_total=before.total)
    none_counts = "(attribute_not_exists(start_slot) OR start_slot < :oldest)"
    return _whole(moved, rate, none_counts, oldest=oldest_slot(moved.slot, rate))


def number(value: float) -> dict[str, str]:
    """A number in a request, without its fraction."""
    return {"N": str(int(value))}


def _addition(slot: int, rate: Rate) -> StartWrite:
    values = {"one": number(1), "slot": number(slot), "limit": number(rate.limit)}
    is_allowed = "start_slot >= :slot AND started < max_started AND start_limit = :limit"
    return StartWrite("started :one", "", is_allowed, values)


def _whole(moved: StartWindow, rate: Rate, condition: str, **known: int) -> StartWrite:
    window = moved.with_start()
    stored = {
        "start_slot": number(window.slot),
        "started": number(window.total),
        "start_marks": {"S": " ".join(f"{slot}:{before}" for slot, before in window.marks)},
        "max_started": number(window.max_total(rate)),
        "start_limit": number(rate.limit),
    }
    values = {name: number(value) for name, value in known.items()}
    sets = ", ".join(f"{name} = :{name}" for name in stored)
    return StartWrite("", f"{sets} REMOVE {OLD_STARTS}", condition, stored | values)
