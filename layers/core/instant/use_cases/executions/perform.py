"""Perform a prepared execution: run the type's flow, retry requests that were not begun, store the images."""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from instant.domain.access.integration import Integration
from instant.domain.backoff import Backoff
from instant.domain.errors import CredentialRejected, CreditsExhausted, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.execution import KeySource
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.held_price import explain_held_price
from instant.domain.executions.output import Answer, Output
from instant.domain.executions.prepared import Prepared
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Mask, Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.service import Service
from instant.ports.upstream import exchange
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import Flow, StreamReader
from instant.use_cases.access.refused_keys import judged
from instant.use_cases.executions.credential import open_key
from instant.use_cases.executions.deps import ExecuteDeps, SecondsLeft
from instant.use_cases.executions.media import store_images
from instant.use_cases.executions.record import Recording, time_to_run
from instant.use_cases.executions.streams.exchange import StreamedExchange
from instant.use_cases.executions.streams.listener import Listener
from instant.use_cases.executions.streams.progress import Progress
from instant.use_cases.executions.streams.watch import Watch

RETRY = Backoff(attempts=3, initial=0.75, max=1.5, spread=2 / 3)
"""The backoff for requests that the service did not begin and that have no `Retry-After`."""

MAX_RETRY_AFTER = 5.0
"""Longest `Retry-After` that is honored, in seconds; beyond it the error is returned to the caller."""

MIN_TIME_FOR_RETRY = 10.0
"""Minimum time for a retry, in seconds: a retry that is cut off has an unknown outcome."""

_UNKNOWN_SERVICE = Service()
"""Judges the replies of an absolute URL: none proves that nothing was done."""

_JOINED = ("text", "summary", "data")
"""The fields of structured reasoning that clients join over its parts."""

_log = logging.getLogger(__name__)


def perform(
    prepared: Prepared,
    recording: Recording,
    seconds_left: SecondsLeft,
    deps: ExecuteDeps,
    listener: Listener | None = None,
) -> Answer:
    """Return the answer with its images stored; raises `Failure`, or `InstantError` if nothing was sent."""
    integration, key = _opened(prepared, deps)
    resource_type, mask = RESOURCE_TYPES[prepared.resource_type], Mask(key)
    progress = Progress(listener, mask) if listener else None
    watch = Watch(recording.opening, listener, deps.ledger) if listener else None
    send = _Sender(prepared, recording, key, seconds_left, deps, progress, watch)
    try:
        answer = drive(resource_type.flow(prepared.plan), send)
        answer = store_images(_masked(answer, mask), recording.opening, deps.media)
        answer = _masked(answer, mask)  # an image that is cut out of a text can join the halves of a key
        return progress.finish(answer) if progress else answer
    except Failure as failure:
        _mask_error(failure, mask)
        failure = send.with_what_was_spent(failure)
        if integration:
            failure = judged(failure, integration, deps.recheck, seconds_left=send.seconds)
        raise explain_held_price(_for_caller(failure, prepared), prepared) from None


@dataclass(slots=True)
class _Sender:
    """Sends the requests of one execution, each within the remaining time."""

    prepared: Prepared
    recording: Recording
    key: Secret | None
    seconds_left: SecondsLeft
    deps: ExecuteDeps
    progress: Progress | None
    watch: Watch | None
    spending: int = 0

    def __call__(self, request: Request) -> Reply:
        """Send the request; the execution is marked SENT before the first request that spends."""
        if request.spends:
            self.spending += 1
            self.recording.mark_sent()
            if request.generation_id:
                self.recording.record_generation_id(request.generation_id)
        service = INTEGRATIONS.get(request.integration or "", _UNKNOWN_SERVICE)
        return retried(
            lambda: self._exchange(request),
            nothing_done=service.nothing_done,
            retry_after=service.retry_after,
            seconds_left=self.seconds,
            sleep=lambda seconds: self._sleep(seconds, request),
        )

    def with_what_was_spent(self, failure: Failure) -> Failure:
        """The failure; if several requests spent and there is no receipt, the cost is unknown."""
        if self.spending > 1 and failure.receipt is None:
            return Failure(failure.error, effect=Effect.UNKNOWN, is_counted=failure.is_counted)
        return failure

    def _exchange(self, request: Request) -> Reply:
        """Make one attempt; a key is sent only to the base URL of its own integration."""
        credential = self.prepared.credential
        is_own = credential and request.integration == credential.integration and request.base_url is None
        request = replace(request, bearer=self.key if is_own else None)
        on_generation_id = self.recording.record_generation_id if self.recording.is_sent else None
        if self.progress is None or self.watch is None:
            return exchange(self.deps.upstream, request, seconds=self.seconds(), on_generation_id=on_generation_id)
        return StreamedExchange(
            upstream=self.deps.upstream,
            request=request,
            reader=self._reader() if request.stream else None,
            progress=self.progress,
            clock=self.deps.clock,
            on_generation_id=on_generation_id,
            on_wait=self.watch.tick,
        ).run(self.seconds())

    def _reader(self) -> StreamReader | None:
        return RESOURCE_TYPES[self.prepared.resource_type].stream_reader(self.prepared.plan)

    def _sleep(self, seconds: float, request: Request) -> None:
        """Sleep before a retry; a stream is watched meanwhile.

        If it is cancelled then, this request was not begun: an earlier one may have spent if this one does not.
        """
        if self.watch is None:
            self.deps.clock.sleep(seconds)
            return
        try:
            while seconds > 0:
                self.deps.clock.sleep(min(seconds, 1.0))
                self.watch.tick()
                seconds -= 1.0
        except Failure as failure:
            failure.effect = Effect.KNOWN if request.spends else failure.effect
            raise

    def seconds(self) -> float:
        """The time that remains for requests."""
        return time_to_run(self.prepared, self.seconds_left)


def _masked(answer: Answer, mask: Mask) -> Answer:
    """The answer without the key: only the flow knows which parts of a reply it joined, or how it decoded them."""
    output, text = mask.value([answer.output, answer.text])
    output = _without_split_key(output, mask)
    return replace(answer, output=output, text=text, receipt=_masked_receipt(answer.receipt, mask))


def _without_split_key(output: Output, mask: Mask) -> Output:
    """The output without its structured reasoning if the key is spread over parts of it."""
    parts = output.get("reasoning_details", ())
    values = (value for part in parts for name, value in part.items() if name in _JOINED)
    joined = "".join(value for value in values if isinstance(value, str))
    if mask.text(joined) == joined:
        return output
    kept = output.copy()
    del kept["reasoning_details"]
    return kept


def _mask_error(failure: Failure, mask: Mask) -> None:
    failure.error.message = mask.text(failure.error.message)
    failure.error.details = mask.value(failure.error.details)
    if failure.receipt:
        failure.receipt = _masked_receipt(failure.receipt, mask)


def _masked_receipt(receipt: Receipt, mask: Mask) -> Receipt:
    names = ("generation_id", "model", "provider", "finish_reason")
    return replace(receipt, **mask.value({name: getattr(receipt, name) for name in names}))


def drive(flow: Flow, send: Callable[[Request], Reply]) -> Answer:
    """Run the flow to its answer; each request that it yields is sent, and a request that was begun is not repeated."""
    with closing(flow):
        try:
            request = next(flow)
            while True:
                request = flow.send(send(request))
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def retried(
    send: Callable[[], Reply],
    *,
    nothing_done: Callable[[Reply], bool],
    retry_after: Callable[[Reply], int | None] = lambda reply: reply.retry_after,
    seconds_left: SecondsLeft,
    sleep: Callable[[float], None],
    retry: Backoff = RETRY,
) -> Reply:
    """Send one request; retry it only if the service did not begin it and enough time remains."""
    for delay in retry.delays():
        try:
            reply = send()
        except Failure as failure:
            if failure.effect is not Effect.NONE or not _has_time(delay, seconds_left):
                raise
        else:
            wait = _wait(reply, retry_after(reply), delay, retry) if nothing_done(reply) else None
            if wait is None or not _has_time(wait, seconds_left):
                return reply
            delay = wait
        _log.info("retry", extra={"delay": round(delay, 3)})
        sleep(delay)
    return send()


def _wait(reply: Reply, asked: int | None, delay: float, retry: Backoff) -> float | None:
    """Seconds to wait before a retry, with jitter so that many callers do not retry at once; None means no retry."""
    if asked is None:
        return None if reply.status == 429 else delay
    return asked + retry.jitter(0, 0.5) if asked < MAX_RETRY_AFTER else None


def _has_time(wait: float, seconds_left: SecondsLeft) -> bool:
    return seconds_left() - wait >= MIN_TIME_FOR_RETRY


def _opened(prepared: Prepared, deps: ExecuteDeps) -> tuple[Integration | None, Secret | None]:
    if prepared.credential is None:
        return None, None
    return open_key(prepared.credential, deps.integrations, deps.keys)


def _for_caller(failure: Failure, prepared: Prepared) -> Failure:
    """The failure for the caller; problems of a key that is not the caller's become a general upstream error."""
    is_own = prepared.credential is None or prepared.credential.source is KeySource.CALLER
    if is_own or not isinstance(failure.error, (CredentialRejected, CreditsExhausted)):
        return failure
    message = "The service rejected the key that pays for this resource. Connect your own key, or contact the owner."
    return Failure(
        UpstreamError(message), receipt=failure.receipt, effect=failure.effect, is_counted=failure.is_counted
    )
