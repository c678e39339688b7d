"""Executions as rows: what is written is read back the same."""

from dataclasses import replace

import pytest

from instant.adapters.executions.ledger_rows import item, open_run_of, opening_row
from instant.domain.executions.execution import OpenRun, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import BudgetScope, Hold, Period
from tests.fakes.builders import an_opening

HOLDS = (
    Hold("spend#user#user_alice#2026-11#0", 10**9, BudgetScope.USER, Period.MONTH),
    Hold("spend#global##2026-11-22#3", 10**10, BudgetScope.GLOBAL, Period.DAY),
)


@pytest.mark.parametrize("by_owner", [None, False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_opening_is_read_back_from_its_row(by_owner: bool | None, streamed: bool) -> None:
    opening = an_opening(
        by_owner=by_owner,
        streamed=streamed,
        ciphertext_sha256="0f" * 32,
        api_key_id="key_1",
        fingerprint="f1",
        holds=HOLDS,
    )
    assert open_run_of(opening_row(opening, 90)) == OpenRun(opening=opening, state=State.RESERVED)


def test_opening_without_optional_facts_is_read_back() -> None:
    bare = replace(an_opening(), service=None, credential_owner_id=None, key_source=None, model=None)
    row = opening_row(bare, 90)
    assert open_run_of(row) == OpenRun(opening=bare, state=State.SENT)
    assert not row.keys() & {"holds", "service", "payer_id", "key_source", "model", "by_owner", "streamed"}


def test_facts_of_an_answer_are_read_back() -> None:
    facts = item(
        claimed_nanousd=7,
        delivered=1,
        finished_at="2026-11-22T12:01:00.000000Z",
        error_code="outcome_unknown",
        generation_id="gen-1",
        model_served="meadow/lark-mini-1",
        prompt_tokens=3,
        cost_nanousd=0,
    )
    run = open_run_of({**opening_row(an_opening(), 90), **facts, "state": {"S": "UNKNOWN"}})
    assert run == OpenRun(
        opening=an_opening(),
        state=State.UNKNOWN,
        generation_id="gen-1",
        finished_at="2026-11-22T12:01:00.000000Z",
        error_code="outcome_unknown",
        claimed_nanousd=7,
        was_delivered=True,
        receipt=Receipt(generation_id="gen-1", model="meadow/lark-mini-1", prompt_tokens=3, cost_nanousd=0),
    )


@pytest.mark.parametrize(("facts", "found"), [({"early_generation_id": "gen-2"}, "gen-2"), ({}, None)])
def test_generation_id_that_was_recorded_early_is_read_back(facts: dict[str, str], found: str | None) -> None:
    run = open_run_of({**opening_row(an_opening(), 90), **item(**facts)})
    assert (run.generation_id, run.receipt.generation_id) == (found, None)
