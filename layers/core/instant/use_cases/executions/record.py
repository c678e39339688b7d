"""Record an execution: a context manager that opens it in the ledger before anything is spent and closes it after."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zlib import crc32

from instant.domain.catalog.pricing import recomputed_nanousd
from instant.domain.clock import STREAM_LEASE_SECONDS, format_time, parse_time
from instant.domain.errors import BudgetExhausted, InstantError, Internal, UpstreamUnavailable
from instant.domain.executions.delivery import stream_facts
from instant.domain.executions.execution import Closing, Execution, Opening, State, StoredAnswer
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.prepared import Prepared
from instant.domain.executions.receipt import Receipt, is_plausible
from instant.domain.executions.token_usage import Usage
from instant.domain.ids import new_id
from instant.domain.money import MAX_NANOUSD, usd_text
from instant.domain.usage.budget import GLOBAL_SHARDS, Hold, holds, refuse_too_dear, shares
from instant.ports.clock import Clock
from instant.use_cases.executions.deps import LedgerDeps, SecondsLeft

SECONDS_TO_CLOSE = 8.0
"""Seconds of the invocation reserved for closing the execution, even if one call to AWS hangs (6 s)."""

FIRST_LOOKUP_SECONDS = 20.0
"""Delay before the first lookup of an unknown outcome: the service does not list a call earlier."""

_log = logging.getLogger(__name__)


class AlreadyRecorded(Exception):
    """Another run with the same idempotency key opened this execution first."""

    def __init__(self, execution: Execution) -> None:
        """Keep the execution as it is stored now."""
        super().__init__(execution.execution_id)
        self.execution = execution


@contextmanager
def record(
    prepared: Prepared, seconds_left: SecondsLeft, deps: LedgerDeps, *, streamed: bool = False
) -> Iterator["Recording"]:
    """Open `prepared` in the ledger; record errors raised in the block, or release the row if nothing was sent.

    If the process ends in the block (a BaseException, or a closed generator), the row is left to the reconciler:
    the request may have been executed, so it is not recorded as failed.
    """
    recording = Recording(prepared, _opening(prepared, seconds_left, deps.clock, streamed=streamed), deps)
    recording.open()
    try:
        yield recording
    except AlreadyRecorded:
        raise
    except Exception as error:
        if not recording.is_sent:
            recording.release()
            raise
        raise recording.fail(error) from None


def time_to_run(prepared: Prepared, seconds_left: SecondsLeft) -> float:
    """Seconds available for requests to the service, so that answer and result can still be stored."""
    return seconds_left() - SECONDS_TO_CLOSE - prepared.plan.seconds_to_keep


class Recording:
    """One execution in the ledger, from opening to closing."""

    def __init__(self, prepared: Prepared, opening: Opening, deps: LedgerDeps) -> None:
        """Create a recording; nothing is written yet."""
        self._prepared = prepared
        self._deps = deps
        self._sent_at: float | None = None
        self._is_written = False
        self.opening = opening

    @property
    def is_sent(self) -> bool:
        """Whether the execution is SENT, even if this process ends now."""
        return self._sent_at is not None

    def open(self) -> None:
        """Reserve the execution and its holds if required; otherwise `mark_sent` makes the first write."""
        self.opening = replace(self.opening, holds=self._holds(self._first_shard))
        if self.opening.first_state is State.RESERVED:
            self._reserve()

    def mark_sent(self) -> None:
        """Mark the execution SENT; a second call does nothing."""
        if self.is_sent:
            return
        if self.opening.first_state is State.SENT:
            self._write_opening()
        else:
            self._deps.ledger.mark_sent(self.opening)
        self._sent_at = self._deps.clock.monotonic()

    def record_generation_id(self, generation_id: str) -> None:
        """Store the generation id, so that the outcome can be looked up if this process ends."""
        self._deps.ledger.record_generation_id(self.opening, generation_id)

    def finish(self, answer: Answer) -> dict[str, Any]:
        """Record the answer and return the stored response; if no request spent, the execution is marked SENT here."""
        self.mark_sent()
        receipt, claimed = self._believed(answer.receipt)
        body = _response(self.opening, replace(answer, receipt=receipt))
        state = State.DONE if claimed is None else State.UNKNOWN
        self._close(state, body, receipt, claimed_nanousd=claimed)
        return body

    def fail(self, error: Exception) -> InstantError:
        """Record the failure of a call that was sent, and return the error response."""
        failure = _as_failure(error)
        response = failure.error.during(self.opening.execution_id)
        receipt, claimed = self._believed(failure.cost)
        state = State.UNKNOWN if failure.outcome_unknown or claimed is not None else State.FAILED
        response.may_have_cost = state is State.UNKNOWN or receipt.cost_nanousd != 0
        self._close(
            state,
            response.body(),
            receipt,
            claimed_nanousd=claimed,
            error_code=response.code,
            counts=failure.is_counted,
        )
        return response

    def release(self) -> None:
        """Delete the row and release its holds, as nothing was sent; if that fails, the lease expires."""
        if not self._is_written:
            return
        try:
            self._deps.ledger.release(self.opening)
        except Exception:
            _log.exception("an execution was not released", extra={"execution_id": self.opening.execution_id})

    @property
    def _first_shard(self) -> int:
        return crc32(self.opening.execution_id.encode())

    def _holds(self, shard: int) -> tuple[Hold, ...]:
        """The holds in the order in which errors name them: the caller's budgets, the shares, the shared budgets."""
        prepared = self._prepared
        wanted = (
            *shares(prepared.budgets, prepared.user_id, owns_resource=prepared.by_owner),
            *holds(prepared.budgets, parse_time(self.opening.created_at), shard),
        )
        refuse_too_dear(wanted, self.opening.reserved_nanousd, reveals_cost=prepared.reveals_cost)
        return tuple(sorted(wanted, key=lambda hold: (hold.scope.is_shared, not hold.is_share)))

    def _reserve(self) -> None:
        """Open the execution with its holds; sharded budgets use the first shard with enough room."""
        for shard in range(self._first_shard, self._first_shard + GLOBAL_SHARDS):
            self.opening = replace(self.opening, holds=self._holds(shard))
            try:
                self._write_opening()
                return
            except BudgetExhausted as error:
                if not error.shard_full or shard == self._first_shard + GLOBAL_SHARDS - 1:
                    raise
            except (InstantError, AlreadyRecorded):
                raise
            except Exception:
                self.release()
                raise

    def _write_opening(self) -> None:
        """Make the first write; if it is not acknowledged, it may still have succeeded."""
        self._is_written = True
        if existing := self._deps.ledger.open(self.opening):
            raise AlreadyRecorded(existing)

    def _believed(self, receipt: Receipt) -> tuple[Receipt, int | None]:
        """The receipt to record; an implausible cost is unknown until a lookup repeats it, and returned separately."""
        cost = receipt.cost_nanousd
        if is_plausible(cost, self.opening.reserved_nanousd):
            return receipt, None
        _log.error("a reported cost is implausible", extra={"execution_id": self.opening.execution_id, "nanousd": cost})
        return replace(receipt, cost_nanousd=None), cost

    def _close(self, state: State, body: dict[str, Any], receipt: Receipt, **more: Any) -> None:
        """Close the execution; if that fails, the row is reconciled later and the caller still gets the answer."""
        closing = Closing(
            state=state,
            receipt=receipt,
            answer=self._store(body),
            finished_at=format_time(self._deps.clock.now()),
            latency_ms=round((self._deps.clock.monotonic() - (self._sent_at or 0)) * 1000),
            computed_nanousd=self._computed(receipt),
            **more,
        )
        try:
            if state is State.UNKNOWN:
                due = self._deps.clock.now() + timedelta(seconds=FIRST_LOOKUP_SECONDS)
                self._deps.ledger.mark_unknown(self.opening, closing, format_time(due))
            else:
                self._deps.ledger.close(self.opening, closing)
        except Exception:
            _log.exception("an execution was not closed", extra={"execution_id": self.opening.execution_id})
            self._save_result(closing)

    def _store(self, body: dict[str, Any]) -> StoredAnswer:
        """Store the answer; if that fails, the caller still gets it and the execution is still closed."""
        try:
            return self._deps.answers.keep(self.opening.execution_id, json.dumps(body, separators=(",", ":")))
        except Exception:
            _log.exception("an answer was not stored", extra={"execution_id": self.opening.execution_id})
            return StoredAnswer()

    def _computed(self, receipt: Receipt) -> int | None:
        """The cost by catalog price, for comparison; a failure here does not fail the execution."""
        try:
            plan, at = self._prepared.plan, parse_time(self.opening.created_at)
            cost = recomputed_nanousd(self._prepared.models, receipt, at, ocr_pages=plan.ocr_pages)
            return None if cost is None or cost > MAX_NANOUSD else cost
        except Exception:
            _log.exception("a cost was not computed", extra={"execution_id": self.opening.execution_id})
            return None

    def _save_result(self, closing: Closing) -> None:
        """Save the result for retries with the same idempotency key and for the reconciler."""
        try:
            self._deps.ledger.save_result(self.opening, closing)
        except Exception:
            _log.exception(
                "the result of an execution was not saved", extra={"execution_id": self.opening.execution_id}
            )


def _opening(prepared: Prepared, seconds_left: SecondsLeft, clock: Clock, *, streamed: bool) -> Opening:
    """The opening entry; its lease lasts as long as this invocation, or is renewed by a stream."""
    now, seconds, credential = clock.now(), seconds_left(), prepared.credential
    if time_to_run(prepared, seconds_left) <= 0:
        raise UpstreamUnavailable("Not enough time was left to run this. Nothing was sent; call again.")
    return Opening(
        execution_id=prepared.execution_id,
        run_id=new_id("run", now),
        user_id=prepared.user_id,
        credential_owner_id=credential.user_id if credential else None,
        key_source=credential.source if credential else None,
        service=credential.integration if credential else None,
        ciphertext_sha256=credential.ciphertext_sha256 if credential else None,
        by_owner=prepared.by_owner,
        api_key_id=prepared.api_key_id,
        resource_id=prepared.resource_id,
        resource_revision=prepared.resource_revision,
        model=prepared.model,
        reserved_nanousd=prepared.plan.worst_nanousd,
        fingerprint=prepared.fingerprint,
        created_at=format_time(now),
        lease_expires_at=format_time(now + timedelta(seconds=STREAM_LEASE_SECONDS if streamed else seconds)),
        streamed=streamed,
    )


def _as_failure(error: Exception) -> Failure:
    """Keep a `Failure`; an `InstantError` ended the call at no cost; any other error may have been charged."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, InstantError):
        return Failure(error)
    _log.error("an execution failed unexpectedly", exc_info=error)
    return Failure(Internal("Something failed on our side. The execution is recorded."), effect=Effect.UNKNOWN)


def _details(usage: Usage | None) -> dict[str, int | None]:
    """The parts of the usage, which are stored with the answer; None if the service reported no usage."""
    return {
        "cached_tokens": usage.cached_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "image_tokens": usage.image_output_tokens if usage else None,
        "web_searches": usage.web_searches if usage else None,
    }


def _response(opening: Opening, answer: Answer) -> dict[str, Any]:
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
            **_details(receipt.usage),
            "cost_usd": usd_text(receipt.cost_nanousd),
        },
        "finish_reason": receipt.finish_reason,
        **stream_facts(answer),
    }
