"""The ports that executing a resource needs."""

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
from instant.use_cases.executions.credential import PlatformTerms

type SecondsLeft = Callable[[], float]
"""How many seconds are left of the invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaDeps:
    """What storing the images of an answer needs."""

    decoder: ImageDecoder
    images: ImageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDeps:
    """What recording executions needs: the ledger, its rows, the stored answers, and the time."""

    ledger: Ledger
    executions: ExecutionReader
    answers: AnswerStore
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteDeps:
    """What preparing, recording and performing an execution need."""

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
