"""Run something that costs money, and keep the books: opened before, closed after, whatever happens between."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from instant.domain.clock import stamp
from instant.domain.errors import InstantError, Internal
from instant.domain.execution import Closing, Opening, State, StoredAnswer
from instant.domain.money import usd_text
from instant.domain.output import Answer
from instant.domain.receipt import Receipt
from instant.ports import AnswerStore, Clock, Ledger

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What booking needs from outside."""

    ledger: Ledger
    answers: AnswerStore
    clock: Clock


def book_run(opening: Opening, run: Callable[[], Answer], books: Books) -> dict[str, Any]:
    """The answer's JSON; a failure is booked like an answer, then raised with the execution's id."""
    _open(opening, books)
    started = books.clock.monotonic()

    def close(state: State, body: dict[str, Any], receipt: Receipt, error_code: str | None = None) -> None:
        now = books.clock.now()
        closing = Closing(
            state=state,
            receipt=receipt,
            answer=_keep(opening, body, books),
            finished_at=stamp(now),
            latency_ms=round((books.clock.monotonic() - started) * 1000),
            error_code=error_code,
        )
        _close(opening, closing, books)

    try:
        answer = run()
    except Exception as error:
        failure = _as_ours(error).during(opening.execution_id)
        state = State.UNKNOWN if failure.outcome_unknown else State.FAILED
        close(state, failure.body(), failure.receipt or _untouched(failure), failure.code)
        raise failure from None
    body = _body(opening, answer)
    close(State.DONE, body, answer.receipt)
    return body


def _open(opening: Opening, books: Books) -> None:
    """RESERVED, then SENT: from there on the call counts as made, whatever becomes of this process."""
    books.ledger.open(opening)
    sent_at = stamp(books.clock.now())
    try:
        books.ledger.sent(opening.execution_id, sent_at)
    except Exception:
        _release(opening, sent_at, books)
        raise


def _release(opening: Opening, sent_at: str, books: Books) -> None:
    """Take the entry back, as nothing was sent; if that fails, too, its lease runs out."""
    try:
        books.ledger.release(opening.execution_id, sent_at)
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


def _keep(opening: Opening, body: dict[str, Any], books: Books) -> StoredAnswer:
    """Where the answer is kept; if it cannot be, the caller still gets it and the books still close."""
    try:
        return books.answers.keep(opening.execution_id, json.dumps(body, separators=(",", ":")))
    except Exception:
        _log.exception("an answer was not stored", extra={"execution_id": opening.execution_id})
        return StoredAnswer()


def _close(opening: Opening, closing: Closing, books: Books) -> None:
    """Book the end; if that fails the row stays SENT and the paid answer still reaches its caller."""
    try:
        end = books.ledger.unknown if closing.state is State.UNKNOWN else books.ledger.close
        end(opening, closing)
    except Exception:
        _log.exception("an execution was not closed", extra={"execution_id": opening.execution_id})
