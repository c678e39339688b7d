"""The dependencies of executing a resource."""

from collections.abc import Callable
from dataclasses import dataclass

from instant.ports.access.integrations import IntegrationReader, KeyStatusStore
from instant.ports.access.secret_box import KeyOpener
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.executions.answer_store import AnswerStore
from instant.ports.executions.call_facts import CallFactsReader
from instant.ports.executions.history import ExecutionReader
from instant.ports.executions.ledger import Ledger
from instant.ports.media.image_decoder import ImageDecoder
from instant.ports.media.image_store import ImageStore
from instant.ports.resources.store import ResourceReader
from instant.ports.upstream import Upstream
from instant.use_cases.access.recheck import RecheckDeps
from instant.use_cases.executions.credential import PlatformTerms

type SecondsLeft = Callable[[], float]
"""Returns the remaining time of the invocation in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaDeps:
    """The dependencies of storing the images of an answer."""

    decoder: ImageDecoder
    images: ImageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDeps:
    """The dependencies of recording executions: the ledger, its rows, the stored answers and the clock."""

    ledger: Ledger
    executions: ExecutionReader
    answers: AnswerStore
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteDeps:
    """The dependencies of preparing, recording and performing an execution."""

    resources: ResourceReader
    facts: CallFactsReader
    models: ModelLookup
    integrations: IntegrationReader
    key_status: KeyStatusStore
    keys: KeyOpener
    upstream: Upstream
    media: MediaDeps
    ledger: LedgerDeps
    platform: PlatformTerms
    clock: Clock

    @property
    def recheck(self) -> RecheckDeps:
        """The dependencies of checking the key that a call uses."""
        return RecheckDeps(key_status=self.key_status, keys=self.keys, upstream=self.upstream, clock=self.clock)
