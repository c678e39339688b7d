"""One exchange of a streamed execution: the reply is read while it arrives, and its pieces are reported."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from instant.domain.errors import InstantError, UpstreamError
from instant.domain.exchange import Reply, Request, Unreadable
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Mask
from instant.ports.clock import Clock
from instant.ports.upstream import Response, Upstream, read_reply
from instant.resource_types.resource_type import StreamReader
from instant.use_cases.executions.streams.progress import Progress

SECONDS_TO_NAME = 2.0
"""How long a reply may take before its generation id is stored, in case this process ends."""

_log = logging.getLogger(__name__)


class _Ended(Exception):
    """The reply has ended, but not its connection."""


@dataclass
class StreamedExchange:
    """Sends one request, and reads the reply with `reader` if the service sends it as events.

    `on_generation_id` is called once for a reply that takes long, `on_wait` about once a second.
    """

    upstream: Upstream
    request: Request
    reader: StreamReader | None
    progress: Progress
    clock: Clock
    on_generation_id: Callable[[str], None] | None
    on_wait: Callable[[], None]
    _response: Response | None = field(default=None, init=False)
    _is_event_stream: bool = field(default=False, init=False)
    _since: float = field(default=0.0, init=False)

    def run(self, seconds: float) -> Reply:
        """The complete reply; raises `Failure` with what is known of the call until then."""
        try:
            with self.upstream.open(self.request, seconds=seconds, on_wait=self._wait) as response:
                self._response, self._since = response, self.clock.monotonic()
                return self._read(response)
        except Unreadable as error:
            raise self._with_what_is_known(Failure(UpstreamError(str(error)), effect=Effect.UNKNOWN)) from None
        except InstantError as error:
            raise self._with_what_is_known(Failure(error, effect=Effect.UNKNOWN, is_counted=True)) from None
        except Failure as failure:
            raise self._with_what_is_known(failure) from None

    def _read(self, response: Response) -> Reply:
        if response.status == 200:
            self.progress.started()
            self._is_event_stream = _is_event_stream(response) and self.reader is not None
        if self.reader is None or not self._is_event_stream:
            return read_reply(response, self.request, self.on_generation_id)
        try:
            self._follow(response, self.reader)
        except (Failure, _Ended):
            if not self.reader.is_done:  # a complete answer is paid for, however its connection ends
                raise
        mask, document = Mask(self.request.bearer), self.reader.finish()
        return Reply(status=200, body=b"", headers=response.headers, document=document, mask=mask)

    def _follow(self, response: Response, reader: StreamReader) -> None:
        for chunk in response.chunks():
            for delta in reader.feed(chunk):
                self.progress.delta(delta)
            self._store_generation_id()

    def _wait(self) -> None:
        """Do what is due; a service that keeps the connection open after the end of its reply is not awaited."""
        if self._is_event_stream and self.reader and self.reader.is_done:
            raise _Ended
        self._store_generation_id()
        self.on_wait()

    def _store_generation_id(self) -> None:
        """Store the id from the header or the body; the call continues even if that fails."""
        is_late = self._is_event_stream and self.clock.monotonic() - self._since >= SECONDS_TO_NAME
        if not is_late or self.on_generation_id is None or (generation_id := self._known().generation_id) is None:
            return
        store, self.on_generation_id = self.on_generation_id, None
        try:
            store(generation_id)
        except Exception as error:
            _log.warning("the generation id was not stored", extra={"error": type(error).__name__})

    def _known(self) -> Receipt:
        """What the reply has said so far."""
        known = self.reader.known if self.reader else Receipt()
        masked = Mask(self.request.bearer).text(known.generation_id or "") or None
        header = self._response.generation_id if self._response else None
        return replace(known, generation_id=header or masked)

    def _with_what_is_known(self, failure: Failure) -> Failure:
        """The failure with the facts of a stream that broke off.

        The service has begun, so that the request is never repeated. The cost comes at the end of a stream: with it,
        the call has ended. Of another reply, only the id in its headers is known.
        """
        if not self._is_event_stream:
            if self._response and failure.receipt is None and failure.outcome_unknown:
                failure.receipt = Receipt(generation_id=self._response.generation_id)
            return failure
        receipt = self._known().after(failure.receipt or Receipt())
        effect = Effect.UNKNOWN if receipt.cost_nanousd is None else Effect.KNOWN
        return Failure(failure.error, receipt=receipt, effect=effect, is_counted=failure.is_counted)


def _is_event_stream(response: Response) -> bool:
    return response.headers.get("content-type", "").split(";")[0].strip().lower() == "text/event-stream"
