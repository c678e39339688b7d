"""A recorded month of the real catalog, if available, matches the log of its changes after each step."""

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
from instant.integrations.openrouter.catalog import read_model
from tests.architecture.project import ROOT
from tests.fakes.history import redo

SAVED = ROOT.parent / "shared/data/openrouter"
FIRST, LOG = SAVED / "models-2026-06-08.json", SAVED / "catalogue-events-2026-06-08_2026-07-10.jsonl"
pytestmark = pytest.mark.skipif(not LOG.exists(), reason="the saved catalog is not here")

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
"""The models whose price did what no price does, found by hand."""

WRONG = HELD - {"tencent/hy3", "qwen/qwen3-235b-a22b-thinking-2507"}
"""Those whose price was nothing, or "it varies", for some hours."""


def events() -> list[Row]:
    """The log, oldest first."""
    return [json.loads(line) for line in LOG.read_text().splitlines()]


def newcomer(openrouter_id: str, later: list[Row]) -> Row:
    """A model that was added: the log does not say how, but for what changed about it later."""
    row: Row = {
        "id": openrouter_id,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        "pricing": {"prompt": "0.000001", "completion": "0.000001"},
        "supported_parameters": [],
    }
    for event in reversed([event for event in later if event["id"] == openrouter_id]):
        match event["ev"]:
            case "pricing":
                told = {key: old for key, (old, _) in event["changes"].items()}
                row["pricing"] = {key: price for key, price in (row["pricing"] | told).items() if price is not None}
            case "supported_parameters":
                row["supported_parameters"] = _changed(row["supported_parameters"], event["removed"], event["added"])
            case "added" | "removed":
                pass
            case name:
                row[name] = event["old"]
    return row


def _changed(words: list[str], added: list[str], removed: list[str]) -> list[str]:
    return sorted((set(words) | set(added)) - set(removed))


def carry_out(event: Row, rows: Rows, gone: Rows, later: list[Row]) -> None:
    """What an event of the log says, done to the rows as OpenRouter lists them."""
    name = event["id"]
    match event["ev"]:
        case "added":
            rows[name] = gone.pop(name) if name in gone else newcomer(name, later)
        case "removed":
            gone[name] = rows.pop(name)
        case "pricing":
            told = {key: new for key, (_, new) in event["changes"].items()}
            prices = rows[name]["pricing"] | told
            rows[name]["pricing"] = {key: price for key, price in prices.items() if price is not None}
        case "supported_parameters":
            words = rows[name]["supported_parameters"]
            rows[name]["supported_parameters"] = _changed(words, event["added"], event["removed"])
        case fact:
            rows[name][fact] = event["new"]


def month() -> Iterator[tuple[datetime, Rows]]:
    """The rows at the beginning and after each step."""
    rows: Rows = {row["id"]: row for row in json.loads(FIRST.read_text())["data"]}
    gone: Rows = {}
    log = events()
    yield datetime(2026, 6, 8, 1, 11, tzinfo=UTC), copy.deepcopy(rows)
    done = 0
    for when, step in groupby(log, key=lambda event: str(event["t"])):
        for event in step:
            done += 1
            carry_out(event, rows, gone, log[done:])
        yield datetime.fromisoformat(when).replace(tzinfo=UTC), copy.deepcopy(rows)


def read(rows: Rows) -> dict[str, CatalogModel]:
    """The rows as models; every one can be read."""
    models = [model for row in rows.values() if (model := read_model(row))]
    assert len(models) == len(rows)
    return {model.openrouter_id: model for model in models}


def announced(model: CatalogModel) -> dict[str, Any]:
    """What OpenRouter says of a model, also while its price is not believed."""
    return {**{name: getattr(model, name) for name in FACTS}, "pricing": model.price_held or model.pricing}


def test_real_month_log_reproduces_every_step() -> None:
    known: dict[str, CatalogModel] = {}
    states: list[tuple[str, dict[str, CatalogModel]]] = []
    history: list[ModelChange] = []
    held: set[str] = set()
    steps = 0
    for now, rows in month():
        listed = read(rows)
        plan = plan_sync(known, Fetched(models=listed), now, Rules(max_loss_percent=10))
        assert isinstance(plan, SyncPlan), "no real step is a great loss"
        known = known | {transition.model.openrouter_id: transition.model for transition in plan.transitions}
        history += [change for transition in plan.transitions for change in transition.changes]
        held |= {change.openrouter_id for change in history if change.kind is ChangeKind.PRICE_HELD}
        here = {key for key, model in known.items() if model.missing_since is None}
        assert here == listed.keys()
        assert all(announced(known[key]) == announced(model) for key, model in listed.items())
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
    """The history alone gives each state, forwards from nothing and backwards from the last."""
    rebuilt: dict[str, CatalogModel] = {}
    for at, state in states:
        for change in (change for change in history if change.at == at):
            rebuilt[change.openrouter_id] = redo(rebuilt.get(change.openrouter_id), change)
        assert rebuilt == state
    _, last = states[-1]
    for at, state in states[::10]:
        later = [change for change in reversed(history) if change.at > at]
        assert before(last.values(), later) == [state[key] for key in sorted(state)]
