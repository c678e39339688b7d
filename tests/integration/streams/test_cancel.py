"""POST /api/executions/{execution_id}/cancel: a running stream of the caller is asked to stop, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from instant.domain.clock import format_time
from instant.domain.executions.execution import Opening, State
from instant.domain.executions.receipt import Receipt
from tests.fakes.aws_faults import failure, faults
from tests.fakes.builders import a_closing, an_opening
from tests.integration.app import Answer, App
from tests.integration.ledgers import a_ledger

GENERATION_ID = "gen-1"


def begun(app: App, state: State = State.SENT, **more: Any) -> Opening:
    """Return a streamed execution of Alice in this state."""
    now = datetime.now(UTC)
    facts: dict[str, Any] = {
        "streamed": True,
        "fingerprint": "f" * 64,
        "created_at": format_time(now),
        "lease_expires_at": format_time(now + timedelta(seconds=90)),
    }
    opening, ledger = an_opening(**(facts | more)), a_ledger(app)
    ledger.open(opening)
    if state is not State.RESERVED:
        ledger.mark_sent(opening)
    if state is State.UNKNOWN:
        ledger.mark_unknown(opening, a_closing(State.UNKNOWN, error_code="outcome_unknown"), format_time(now))
    if state in {State.DONE, State.FAILED, State.LOST}:
        ledger.close(opening, a_closing(state, receipt=Receipt(generation_id=GENERATION_ID)))
    return opening


def cancel(app: App, opening: Opening, **more: Any) -> Answer:
    """Cancel the execution."""
    return app.call("POST", f"/api/executions/{opening.execution_id}/cancel", **more)


def row(app: App) -> dict[str, Any]:
    """Return the only execution."""
    (found,) = app.table("EXECUTIONS_TABLE")
    return found


@pytest.mark.parametrize("state", [State.RESERVED, State.SENT])
def test_cancel_marks_a_running_stream_and_returns_it(app: App, state: State) -> None:
    opening = begun(app, state)
    before = row(app)
    answer = cancel(app, opening)
    assert (answer.status, answer.headers["Content-Type"]) == (202, "application/json")
    asked = answer.json["cancel_requested_at"]
    assert row(app) == {**before, "cancel_requested_at": {"S": asked}}
    assert answer.json == app.call("GET", f"/api/executions/{opening.execution_id}").json
    assert (answer.json["execution_id"], answer.json["status"]) == (opening.execution_id, state)


def test_repeated_cancel_returns_the_same(app: App) -> None:
    opening = begun(app)
    first, second = cancel(app, opening), cancel(app, opening)
    assert (first.status, second.text) == (202, first.text)


@pytest.mark.parametrize("state", [State.UNKNOWN, State.DONE, State.FAILED, State.LOST])
def test_execution_that_has_ended_is_not_cancelled(app: App, state: State) -> None:
    """Without the condition on the state, the row of an ended execution would change."""
    opening = begun(app, state)
    before = row(app)
    answer = cancel(app, opening)
    assert (answer.status, answer.code, row(app)) == (409, "not_cancellable", before)
    assert (answer.json["error"]["execution_id"], answer.json["error"]["retryable"]) == (opening.execution_id, False)


def test_execution_that_ends_after_it_was_read_is_not_cancelled(app: App) -> None:
    opening = begun(app)

    def ended_first(request: Any, process: Any) -> Any:
        a_ledger(app).close(opening, a_closing())
        return process()

    with faults("UpdateItem", None, ended_first):  # the first counts the request
        answer = cancel(app, opening)
    assert (answer.status, answer.code) == (409, "not_cancellable")
    assert "cancel_requested_at" not in row(app)


def test_execution_that_is_not_streamed_is_not_cancelled(app: App) -> None:
    opening = begun(app, streamed=False)
    before = row(app)
    answer = cancel(app, opening)
    assert (answer.status, answer.code, row(app)) == (409, "not_cancellable", before)


def test_cancel_treats_executions_of_others_as_missing(app: App) -> None:
    opening = begun(app)
    before = row(app)
    foreign = cancel(app, opening, user="bob")
    missing = cancel(app, replace(opening, execution_id="exe_00000000000000000000000000"))
    assert (foreign.status, foreign.code, foreign.text) == (404, "not_found", missing.text)
    assert row(app) == before


@pytest.mark.parametrize(
    ("scopes", "key_id", "status"),
    [
        ("execute", "key_one", 202),
        ("execute", "key_two", 404),
        ("execute", None, 404),
        ("execute read", "key_two", 202),
        ("execute read", None, 202),
        ("read", None, 403),
        ("manage", None, 403),
    ],
)
def test_cancel_requires_the_scope_execute_and_access_to_the_execution(
    app: App, scopes: str, key_id: str | None, status: int
) -> None:
    opening = begun(app, api_key_id="key_one")
    assert cancel(app, opening, scopes=scopes, key_id=key_id).status == status
    assert ("cancel_requested_at" in row(app)) == (status == 202)


def test_cancel_fails_when_the_request_cannot_be_stored(app: App) -> None:
    opening = begun(app)
    with faults("UpdateItem", None, failure("AccessDeniedException")):
        assert cancel(app, opening).status == 500
