"""What the first call with an idempotency key came to: its answer again, or why there is none."""

import json
from datetime import timedelta
from math import ceil
from typing import Any

from instant.domain.clock import moment, stamp
from instant.domain.errors import (
    IdempotencyMismatch,
    InProgress,
    InstantError,
    OutcomeUnknown,
    UpstreamError,
    every_error,
)
from instant.domain.execution import LEASE_SLACK, Execution, State
from instant.domain.idempotency import Once
from instant.ports import Clock
from instant.use_cases.books import Books

LONGEST_WAIT = 10
"""Seconds after which a caller is told to ask again for a call that is under way; few take longer."""


def earlier_answer(call: Once, books: Books) -> dict[str, Any] | None:
    """The first call's answer, or its failure raised anew; None if the call may be made."""
    found = books.executions.get(call.execution_id)
    if found and found.state is State.RESERVED and _is_over(found, books.clock):
        books.ledger.take_back(found.execution_id, _over_before(books.clock))
        found = books.executions.get(call.execution_id)
    return answer_again(found, call.fingerprint, books) if found else None


def answer_again(found: Execution, fingerprint: str | None, books: Books) -> dict[str, Any]:
    """What a call that was made is told, word for word as the first time."""
    if found.fingerprint != fingerprint:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request. Repeat that one as it was, or take a new key."
        )
    text = _stored(found, books)
    if found.state is State.RESERVED or (found.state is State.SENT and not text and not _is_over(found, books.clock)):
        raise _in_progress(found, books.clock)
    if text is None:
        raise OutcomeUnknown(
            "The call was sent, and its answer is not here: it may have been carried out and paid, and is never sent "
            "again. Read GET /api/executions for what is known; a new idempotency key makes a new call."
        ).during(found.execution_id)
    body: dict[str, Any] = json.loads(text)
    if "error" in body:
        raise _failure(body["error"])
    return body


def _stored(found: Execution, books: Books) -> str | None:
    """What the first caller was told, if that is the end of it."""
    is_told = found.state in {State.DONE, State.FAILED} and not found.reconciled_at
    return books.answers.read(found.answer) if is_told or found.was_delivered else None


def _is_over(found: Execution, clock: Clock) -> bool:
    """Whether whoever began the call has surely ended."""
    return found.lease_expires_at is None or found.lease_expires_at < _over_before(clock)


def _over_before(clock: Clock) -> str:
    return stamp(clock.now() - timedelta(seconds=LEASE_SLACK))


def _in_progress(found: Execution, clock: Clock) -> InProgress:
    left = (moment(found.lease_expires_at or found.created_at) - clock.now()).total_seconds()
    return InProgress(
        "The first call with this idempotency key is under way. Wait, then repeat it with the same key.",
        retry_after=max(1, min(LONGEST_WAIT, ceil(left))),
    ).during(found.execution_id)


def _failure(error: dict[str, Any]) -> InstantError:
    """A stored failure as the error that it was."""
    kind = {kind.code: kind for kind in every_error()}.get(error["code"], UpstreamError)
    return kind(error["message"], details=error.get("details")).during(error["execution_id"])
