"""Send a planned call with the payer's key, again where nothing was done, and read its answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from instant.domain.clock import stamp
from instant.domain.errors import CredentialRejected, CreditsExhausted, InstantError, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.execution import KeySource, Opening
from instant.domain.integration import Integration, KeyStatus
from instant.domain.output import Answer
from instant.domain.secret import Secret
from instant.ports import Clock, KeyVerdicts, PaidUpstream
from instant.ports.books import Ledger
from instant.resource_types.resource_type import Plan, ResourceType
from instant.use_cases.choose_payer import Payer
from instant.use_cases.send_again import send_again

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What calling a service needs from outside."""

    upstream: PaidUpstream
    verdicts: KeyVerdicts
    ledger: Ledger
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A call that is ready to be sent, the key to send it with, and how many seconds there are."""

    kind: ResourceType
    plan: Plan
    key: Secret
    payer: Payer
    seconds_left: Callable[[], float]


def call_service(planned: Planned, opening: Opening, line: Line) -> Answer:
    """The answer; the name of a call that takes its time is noted, so that it can be asked for should we die."""

    def note_name(name: str) -> None:
        line.ledger.name(opening, name)

    def send(request: Request) -> Reply:
        keyed = replace(request, bearer=planned.key)
        return line.upstream.send(keyed, seconds=planned.seconds_left(), named=note_name)

    try:
        return send_again(lambda: planned.kind.run(planned.plan, send), planned.seconds_left, line.clock)
    except (CredentialRejected, CreditsExhausted) as error:
        if isinstance(error, CredentialRejected):
            _note_broken(planned.payer.integration, line)
        if planned.payer.source is KeySource.CALLER:
            raise
        raise _not_the_caller_s(error) from None


def _note_broken(integration: Integration, line: Line) -> None:
    """Spare the service a key that it rejects; the run is booked and told, whether this can be noted or not."""
    try:
        line.verdicts.note(integration, KeyStatus.BROKEN, stamp(line.clock.now()))
    except Exception:
        _log.exception("a rejected key was not noted")


def _not_the_caller_s(error: InstantError) -> UpstreamError:
    """What ails somebody else's key is nothing that the caller could mend."""
    message = (
        "The service does not take the key that pays for this resource. Connect one of your own, or tell the owner."
    )
    return UpstreamError(message, receipt=error.receipt)
