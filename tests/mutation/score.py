"""The mutation score of each module, and the survivors with their explanations."""

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

AIM_PERCENT = 90
EXPLAINED = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True)
class Mutant:
    """A mutant: its name and status in mutmut, and its diff unless it was killed."""

    name: str
    status: str
    change: str

    @property
    def module(self) -> str:
        """The module of the mutant."""
        return self.name.rpartition(".")[0]

    @property
    def lines(self) -> tuple[str, str]:
        """The changed line before and after."""
        return changed_lines(self.change)

    @property
    def is_killed(self) -> bool:
        """Whether a test failed or timed out."""
        return self.status in {"killed", "timeout"}


def changed_lines(change: str) -> tuple[str, str]:
    """The removed and the added lines of a diff, without indentation."""
    before = " ".join(line[1:].strip() for line in change.splitlines() if re.match(r"-(?!--)", line))
    after = " ".join(line[1:].strip() for line in change.splitlines() if re.match(r"\+(?!\+\+)", line))
    return before, after


def is_wording(change: str) -> bool:
    """Whether a change affects only text for people: mutmut adds XX or changes its case."""
    before, after = changed_lines(change)
    return " " in before and before != after and before.casefold() == after.replace("XX", "").casefold()


def explanations() -> dict[tuple[str, str], str]:
    """The explanations of survivors, by module and mutated line."""
    entries = tomllib.loads(EXPLAINED.read_text()).get("survivor", [])
    return {(entry["module"], entry["becomes"]): entry["because"] for entry in entries}


def report(mutants: list[Mutant]) -> int:
    """Print the table and the survivors; return 1 if a module misses the aim, without explained survivors."""
    known, by_module = explanations(), defaultdict[str, list[Mutant]](list)
    for mutant in mutants:
        by_module[mutant.module].append(mutant)
    print(f"{'module':40} {'killed':>8} {'survived':>8} {'explained':>9} {'score':>6}")
    is_missed = False
    for module, found in sorted(by_module.items()):
        survivors = [mutant for mutant in found if not mutant.is_killed]
        explained = sum((module, mutant.lines[1]) in known for mutant in survivors)
        killed = len(found) - len(survivors)
        score = 100 * killed / ((len(found) - explained) or 1)
        is_missed |= score < AIM_PERCENT
        print(f"{module:40} {killed:8} {len(survivors):8} {explained:9} {score:5.0f}%")
    for mutant in mutants:
        if not mutant.is_killed:
            reason = known.get((mutant.module, mutant.lines[1]), mutant.status)
            print(f"\n{mutant.name}: {reason}\n  - {mutant.lines[0]}\n  + {mutant.lines[1]}")
    return int(is_missed)
