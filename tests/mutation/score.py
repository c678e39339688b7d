"""How many mutants were noticed, module by module, and what is to be said of those that were not."""

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

AIM_PERCENT = 90
EXPLAINED = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True)
class Mutant:
    """One small change: its name as mutmut gives it, how it ended, and the change as a diff unless it was noticed."""

    name: str
    end: str
    change: str

    @property
    def module(self) -> str:
        """Where it is."""
        return self.name.rpartition(".")[0]

    @property
    def lines(self) -> tuple[str, str]:
        """The line before and after."""
        return changed_lines(self.change)

    @property
    def is_noticed(self) -> bool:
        """Whether some test failed, or never ended."""
        return self.end in {"killed", "timeout"}


def changed_lines(change: str) -> tuple[str, str]:
    """What a diff takes away and what it puts there, without indentation."""
    before = " ".join(line[1:].strip() for line in change.splitlines() if re.match(r"-(?!--)", line))
    after = " ".join(line[1:].strip() for line in change.splitlines() if re.match(r"\+(?!\+\+)", line))
    return before, after


def is_wording(change: str) -> bool:
    """Whether a change is only about a sentence for people: marked, or in other letters."""
    before, after = changed_lines(change)
    return " " in before and before != after and before.casefold() == after.replace("XX", "").casefold()


def explanations() -> dict[tuple[str, str], str]:
    """Why a survivor may live, by its module and the line that it becomes."""
    entries = tomllib.loads(EXPLAINED.read_text()).get("survivor", [])
    return {(entry["module"], entry["becomes"]): entry["because"] for entry in entries}


def report(mutants: list[Mutant]) -> int:
    """Print the table and the survivors; 1 if a module misses the aim, explained survivors not counted."""
    known, by_module = explanations(), defaultdict[str, list[Mutant]](list)
    for mutant in mutants:
        by_module[mutant.module].append(mutant)
    print(f"{'module':40} {'noticed':>8} {'survived':>8} {'explained':>9} {'score':>6}")
    is_missed = False
    for module, found in sorted(by_module.items()):
        survivors = [mutant for mutant in found if not mutant.is_noticed]
        explained = sum((module, mutant.lines[1]) in known for mutant in survivors)
        noticed = len(found) - len(survivors)
        score = 100 * noticed / ((len(found) - explained) or 1)
        is_missed |= score < AIM_PERCENT
        print(f"{module:40} {noticed:8} {len(survivors):8} {explained:9} {score:5.0f}%")
    for mutant in mutants:
        if not mutant.is_noticed:
            reason = known.get((mutant.module, mutant.lines[1]), mutant.end)
            print(f"\n{mutant.name}: {reason}\n  - {mutant.lines[0]}\n  + {mutant.lines[1]}")
    return int(is_missed)
