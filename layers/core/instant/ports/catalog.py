"""The doors of the catalog's sync and of its history."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.catalog_change import ModelChange, WantedChanges
from instant.domain.catalog_plan import Transition
from instant.domain.endpoint import Offers
from instant.domain.model_impact import Use
from instant.domain.page import Page, PageRequest
from instant.ports import CatalogReader, ModelReader


class CatalogWriter(CatalogReader, Protocol):
    """The catalog, for the sync."""

    def known(self) -> Sequence[Transition]:
        """Every model ever seen with what last changed about it, by id."""

    def write(self, transitions: Iterable[Transition]) -> None:
        """Store each model whole with its changes beside it, and after all of them the history."""

    def note(self, transitions: Iterable[Transition]) -> None:
        """Store these changes in the history; again is a no-op."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken, and what the last successful sync noted."""

    last: SyncRecord | None


class SyncLease(Protocol):
    """Who may sync, and what the last sync did: one row."""

    def take(self, holder: str, now: datetime, until: datetime) -> Taken | None:
        """Begin, unless another holder's lease still runs (None). The last list's validator counts no more."""

    def finish(self, holder: str, record: SyncRecord) -> None:
        """Note a successful sync, after its last row, and end the lease."""

    def drop(self, holder: str) -> None:
        """End the lease of a sync that failed."""


class ChangeLists(Protocol):
    """What changed in the catalog; each page looks at no more than `MOST_EXAMINED` rows."""

    def page(self, wanted: WantedChanges, page: PageRequest) -> Page[ModelChange]:
        """Changes, newest first."""

    def after(self, at: str, openrouter_id: str | None = None) -> Iterator[ModelChange]:
        """Every change later than `at`, of one model or of all, newest first."""


class ModelsInUse(Protocol):
    """Which models resources use."""

    def most_used(self, count: int) -> Sequence[str]:
        """The ids of so many models at most, those of the most resources first."""


class UsesOfModels(Protocol):
    """Which resources use a model."""

    def of(self, openrouter_id: str) -> Iterator[Use]:
        """Every resource that names the model, first or as a fallback, one page in memory at a time."""


class ModelLookup(ModelReader, Protocol):
    """Models by id, and those that could take over from one."""

    def some(self, model_ids: Iterable[str]) -> Mapping[str, CatalogModel]:
        """Those of these models that the catalog knows, by id, read consistently."""

    def akin(self, model: CatalogModel) -> Sequence[CatalogModel]:
        """What `model` is an alias of, and every other model of its canonical slug."""


class OffersReader(Protocol):
    """The endpoints of models in use."""

    def get(self, openrouter_id: str) -> Offers | None:
        """What was last read."""


class OffersStore(OffersReader, Protocol):
    """The endpoints of models in use, for the sync."""

    def put(self, offers: Offers) -> None:
        """Store what was read, replacing what was known before."""
