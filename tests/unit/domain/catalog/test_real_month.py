"""A recorded month of the real catalog, if available, is reproduced from the log of its changes."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pytest

from instant.domain.catalog.change import ChangeKind, ModelChange, before
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import GRACE, Fetched, Rules, SyncPlan, plan_sync
from instant.integrations.openrouter.catalog.rows import read_row
from tests.architecture.project import ROOT
from tests.fakes.history import redo

SAVED = ROOT.parent / "shared/data/openrouter"
FIRST, LOG = SAVED / "models-2026-06-08.json", SAVED / "catalogue-events-2026-06-08_2026-07-10.jsonl"
pytestmark = pytest.mark.skipif(not LOG.exists(), reason="the saved catalog is not part of the repository")

type Row = dict[str, Any]
type Rows = dict[str, Row]
FACTS = ("context_length", "max_tokens", "supported_parameters", "input_modalities", "expiration_date")
HELD = {
    "minimax/minimax-m2.7",
    "qwen/qwen3-235b-a22b-thinking-2507",
    "~anthropic/claude-fable-latest",
    "qwen/qwen3-30b-a3b-instruct-2507",
    "tencent/hy3",
}
"""The models with an unusual price change, determined manually."""

WRONG = HELD - {"tencent/hy3", "qwen/qwen3-235b-a22b-thinking-2507"}
"""Those with a price of zero or -1 (variable) for some hours."""


def events() -> list[Row]:
    """Return the events of the log, oldest first."""
    return [json.loads(line) for line in LOG.read_text().splitlines()]


def added_row(openrouter_id: str, later: list[Row]) -> Row:
    """Return the row of an added model: the log has only the fields that changed later."""
    row: Row = {
        "id": openrouter_id,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        "pricing": {"prompt": "0.000001", "completion": "0.000001"},
        "supported_parameters": [],
    }
    for event in reversed([event for event in later if event["id"] == openrouter_id]):
        match event["ev"]:
            case "pricing":
                old_prices = {key: old for key, (old, _) in event["changes"].items()}
                row["pricing"] = {
                    key: price for key, price in (row["pricing"] | old_prices).items() if price is not None
                }
            case "supported_parameters":
                row["supported_parameters"] = _changed(row["supported_parameters"], event["removed"], event["added"])
            case "added" | "removed":
                pass
            case name:
                row[name] = event["old"]
    return row


def _changed(words: list[str], added: list[str], removed: list[str]) -> list[str]:
    return sorted((set(words) | set(added)) - set(removed))


def apply(event: Row, rows: Rows, gone: Rows, later: list[Row]) -> None:
    """Apply an event of the log to the rows."""
    name = event["id"]
    match event["ev"]:
        case "added":
            rows[name] = gone.pop(name) if name in gone else added_row(name, later)
        case "removed":
            gone[name] = rows.pop(name)
        case "pricing":
            new_prices = {key: new for key, (_, new) in event["changes"].items()}
            prices = rows[name]["pricing"] | new_prices
            rows[name]["pricing"] = {key: price for key, price in prices.items() if price is not None}
        case "supported_parameters":
            words = rows[name]["supported_parameters"]
            rows[name]["supported_parameters"] = _changed(words, event["added"], event["removed"])
        case fact:
            rows[name][fact] = event["new"]


def month() -> Iterator[tuple[datetime, Rows]]:
    """Yield the rows at the start and after each step."""
    rows: Rows = {row["id"]: row for row in json.loads(FIRST.read_text())["data"]}
    gone: Rows = {}
    log = events()
    yield datetime(2026, 6, 8, 1, 11, tzinfo=UTC), copy.deepcopy(rows)
    done = 0
    for when, step in groupby(log, key=lambda event: str(event["t"])):
        for event in step:
            done += 1
            apply(event, rows, gone, log[done:])
        yield datetime.fromisoformat(when).replace(tzinfo=UTC), copy.deepcopy(rows)


def read(rows: Rows) -> dict[str, CatalogModel]:
    """Return the rows as models; every row must be readable."""
    models = [found.model for row in rows.values() if (found := read_row(row))]
    assert len(models) == len(rows)
    return {model.openrouter_id: model for model in models}


def listed_fields(model: CatalogModel) -> dict[str, Any]:
    """Return the fields that OpenRouter lists, including a price that is held."""
    return {**{name: getattr(model, name) for name in FACTS}, "pricing": {**model.pricing, **model.price_held}}


def test_real_month_log_reproduces_every_step() -> None:
    known: dict[str, CatalogModel] = {}
    states: list[tuple[str, dict[str, CatalogModel]]] = []
    history: list[ModelChange] = []
    held: set[str] = set()
    steps = 0
    for now, rows in month():
        listed = read(rows)
        plan = plan_sync(known, Fetched(models=listed), now, Rules(max_loss_percent=10))
        assert isinstance(plan, SyncPlan), "no recorded step exceeds the maximum loss"
        known = known | {transition.model.openrouter_id: transition.model for transition in plan.transitions}
        history += [change for transition in plan.transitions for change in transition.changes]
        held |= {change.openrouter_id for change in history if change.kind is ChangeKind.PRICE_HELD}
        here = {key for key, model in known.items() if model.missing_since is None}
        assert here == listed.keys()
        assert all(listed_fields(known[key]) == listed_fields(model) for key, model in listed.items())
        for key in known.keys() - here:
            since = datetime.fromisoformat(str(known[key].missing_since))
            assert known[key].is_active is False or now - since < GRACE
        assert all(known[key].pricing["prompt"] not in {"0", "-1"} for key in WRONG & known.keys())
        states.append((now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), known))
        steps += 1
    assert (steps, held) == (105, HELD)
    assert {key for key, model in known.items() if model.price_held} <= HELD
    _rebuilds(states, history)


def _rebuilds(states: list[tuple[str, dict[str, CatalogModel]]], history: list[ModelChange]) -> None:
    """Assert that the history reproduces each state, forwards from an empty catalog and backwards from the last."""
    rebuilt: dict[str, CatalogModel] = {}
    for at, state in states:
        for change in (change for change in history if change.at == at):
            rebuilt[change.openrouter_id] = redo(rebuilt.get(change.openrouter_id), change)
        assert rebuilt == state
    _, last = states[-1]
    for at, state in states[::10]:
        later = [change for change in reversed(history) if change.at > at]
        assert before(last.values(), later) == [state[key] for key in sorted(state)]
