"""Run something that costs money, and keep the books: opened before, closed after, whatever happens between."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zlib import crc32

from instant.domain.budget import PARTS, Budget, holds, refuse_too_dear
from instant.domain.clock import moment, stamp
from instant.domain.errors import BudgetExhausted, InstantError, Internal
from instant.domain.execution import Closing, Execution, Opening, State, StoredAnswer
from instant.domain.money import usd_text
from instant.domain.output import Answer
from instant.domain.receipt import Receipt
from instant.use_cases.books import Books
from instant.use_cases.earlier_answer import answer_again

FIRST_QUESTION = 20.0
"""Seconds after which the service is asked what became of a call: before, it may not know of it yet."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be booked: the work, the budgets that it falls under, and its cost by catalog price."""

    opening: Opening
    work: Callable[[Opening], Answer]
    budgets: Sequence[Budget] = ()
    computed: Callable[[Receipt], int | None] = lambda receipt: None


def book_run(run: Run, books: Books) -> dict[str, Any]:
    """The answer's JSON; a failure is booked like an answer, then raised with the execution's id.

    Where another run with the same idempotency key came first, that one's answer.
    """
    opening, standing = _opened(run, books)
    if standing:
        return answer_again(standing, opening.fingerprint, books)
    _mark_as_sent(opening, books)
    started = books.clock.monotonic()

    def close(state: State, body: dict[str, Any], receipt: Receipt, error_code: str | None = None) -> None:
        closing = Closing(
            state=state,
            receipt=receipt,
            answer=_keep(opening, body, books),
            finished_at=stamp(books.clock.now()),
            latency_ms=round((books.clock.monotonic() - started) * 1000),
            error_code=error_code,
            computed_nanousd=_computed(run, receipt),
        )
        _close(opening, closing, books)

    try:
        answer = run.work(opening)
    except Exception as error:
        failure = _as_ours(error).during(opening.execution_id)
        state = State.UNKNOWN if failure.outcome_unknown else State.FAILED
        close(state, failure.body(), failure.receipt or _untouched(failure), failure.code)
        raise failure from None
    body = _body(opening, answer)
    close(State.DONE, body, answer.receipt)
    return body


def _opened(run: Run, books: Books) -> tuple[Opening, Execution | None]:
    """The opening with what it holds back; of shared budgets, the first part of several that has room for it."""
    at = moment(run.opening.created_at)
    part, others = crc32(run.opening.execution_id.encode()), PARTS - 1
    while True:
        wanted = holds(run.budgets, at, part)
        refuse_too_dear(wanted, run.opening.reserved_nanousd)
        opening = replace(run.opening, holds=wanted)
        try:
            return opening, _open(opening, books)
        except BudgetExhausted as error:
            if not (error.is_of_a_part and others):
                raise
        part, others = part + 1, others - 1


def _open(opening: Opening, books: Books) -> Execution | None:
    """The execution is in the books; if that is not certain, it is taken out again, as nothing was sent."""
    try:
        return books.ledger.open(opening)
    except InstantError:
        raise
    except Exception:
        _release(opening, books)
        raise


def _mark_as_sent(opening: Opening, books: Books) -> None:
    """From here on the call counts as made, whatever becomes of this process."""
    if opening.first_state is State.SENT:
        return
    try:
        books.ledger.sent(opening)
    except Exception:
        _release(opening, books)
        raise


def _release(opening: Opening, books: Books) -> None:
    """Take the entry back, as nothing was sent; if that fails, too, its lease runs out."""
    try:
        books.ledger.release(opening)
    except Exception:
        _log.exception("an execution was not released", extra={"execution_id": opening.execution_id})


def _as_ours(error: Exception) -> InstantError:
    if isinstance(error, InstantError):
        return error
    _log.error("a run failed unexpectedly", exc_info=error)
    return Internal("Something failed on our side. The execution is recorded.", outcome_unknown=True)


def _untouched(failure: InstantError) -> Receipt:
    """What a failure without a receipt cost: nothing, unless its outcome is unknown."""
    return Receipt() if failure.outcome_unknown else Receipt(cost_nanousd=0)


def _body(opening: Opening, answer: Answer) -> dict[str, Any]:
    receipt = answer.receipt
    return {
        "success": True,
        "execution_id": opening.execution_id,
        "output": answer.output,
        "model": receipt.model or opening.model,
        "provider": receipt.provider,
        "usage": {
            "prompt_tokens": receipt.prompt_tokens,
            "completion_tokens": receipt.completion_tokens,
            "cost_usd": usd_text(receipt.cost_nanousd),
        },
        "finish_reason": receipt.finish_reason,
    }


def _computed(run: Run, receipt: Receipt) -> int | None:
    """The cost by catalog price is for comparison: nothing paid for waits for it."""
    try:
        return run.computed(receipt)
    except Exception:
        _log.exception("a cost was not computed", extra={"execution_id": run.opening.execution_id})
        return None


def _keep(opening: Opening, body: dict[str, Any], books: Books) -> StoredAnswer:
    """Where the answer is kept; if it cannot be, the caller still gets it and the books still close."""
    try:
        return books.answers.keep(opening.execution_id, json.dumps(body, separators=(",", ":")))
    except Exception:
        _log.exception("an answer was not stored", extra={"execution_id": opening.execution_id})
        return StoredAnswer()


def _close(opening: Opening, closing: Closing, books: Books) -> None:
    """Book the end; if that fails the row stays open, is reconciled, and the paid answer still reaches its caller."""
    try:
        if closing.state is State.UNKNOWN:
            due = books.clock.now() + timedelta(seconds=FIRST_QUESTION)
            books.ledger.unknown(opening, closing, stamp(due))
        else:
            books.ledger.close(opening, closing)
    except Exception:
        _log.exception("an execution was not closed", extra={"execution_id": opening.execution_id})
        _leave(opening, closing, books)


def _leave(opening: Opening, closing: Closing, books: Books) -> None:
    """So that a paid answer is there for whoever repeats the call, and its end can be asked for and booked."""
    try:
        books.ledger.leave(opening, closing)
    except Exception:
        _log.exception("what an execution came to was not noted", extra={"execution_id": opening.execution_id})
