"""Every decision in DECISIONS.md has an id, a date, a status, a reason and rejected alternatives."""

import re
from datetime import date

from tests.architecture.project import ROOT

TEXT = (ROOT / "DECISIONS.md").read_text()
ENTRY = re.compile(
    r"### (?P<id>D-\d{3}): (?P<decision>[^\n]+)\n\n"
    r"- Status: (?P<status>accepted|superseded) (?P<date>\d{4}-\d\d-\d\d)(?P<note>[^\n]*)\.\n"
    r"- Why: .+?\n"
    r"- Rejected: .+",
    re.DOTALL,
)
ENTRIES = re.split(r"\n(?=### )", re.sub(r"^## .*$", "", TEXT, flags=re.MULTILINE))[1:]


def test_decision_has_its_four_parts() -> None:
    assert [entry.splitlines()[0] for entry in ENTRIES if not ENTRY.fullmatch(entry.strip())] == []


def test_decision_ids_are_unique_and_consecutive() -> None:
    ids = re.findall(r"^### (\S+):", TEXT, re.MULTILINE)
    assert ids == [f"D-{number:03}" for number in range(1, len(ENTRIES) + 1)]


def test_decisions_keep_date_order() -> None:
    days = [date.fromisoformat(day) for day in re.findall(r"^- Status: \w+ (\S{10})", TEXT, re.MULTILINE)]
    assert len(days) == len(ENTRIES) >= 100
    assert days == sorted(days)


def test_cited_decision_ids_exist() -> None:
    ids = {f"D-{number:03}" for number in range(1, len(ENTRIES) + 1)}
    assert set(re.findall(r"D-\d{3}", TEXT)) - ids == set()
