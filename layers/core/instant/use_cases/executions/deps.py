"""What executing a resource needs from outside."""

from collections.abc import Callable
from dataclasses import dataclass

from instant.ports import (
    CallFactsReader,
    Clock,
    ImageStore,
    IntegrationReader,
    KeyOpener,
    KeyVerdicts,
    PictureReader,
    ResourceStore,
)
from instant.ports.books import AnswerStore, ExecutionReader, Ledger
from instant.ports.catalog import ModelLookup
from instant.ports.upstream import Upstream
from instant.use_cases.executions.credential import PlatformTerms

type SecondsLeft = Callable[[], float]
"""How many seconds are left of the invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaDeps:
    """What storing the images of an answer needs."""

    pictures: PictureReader
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

    resources: ResourceStore
    facts: CallFactsReader
    models: ModelLookup
    integrations: IntegrationReader
    key_status: KeyVerdicts
    keys: KeyOpener
    upstream: Upstream
    media: MediaDeps
    ledger: LedgerDeps
    platform: PlatformTerms
    clock: Clock
