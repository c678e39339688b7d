"""Read the catalog at a past time: a later state of it, with the changes since then undone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from instant.domain.catalog.change import ModelChange, before
from instant.domain.catalog.index import CatalogIndex
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.errors import InvalidField
from instant.ports.catalog.changes import ChangeLists
from instant.ports.catalog.snapshots import SnapshotReader
from instant.use_cases.catalog.browse import Catalog, read_model

MAX_UNDONE = 5_000
"""Maximum number of changes that are undone; a month of OpenRouter has about 1,000."""

MAX_KEPT = 3
"""Maximum number of later states that a warm function keeps in memory, with the changes before them."""


@dataclass(frozen=True, slots=True)
class PastCatalog:
    """A catalog that does not change."""

    index: CatalogIndex

    def now(self) -> tuple[CatalogIndex, SyncRecord | None]:
        """The models; they do not belong to a single sync."""
        return self.index, None


class PastCatalogs:
    """Past catalogs, each from the next monthly snapshot or the current catalog.

    A warm function reads each snapshot, and each change before it, once.
    """

    def __init__(self, catalog: Catalog, snapshots: SnapshotReader, lists: ChangeLists) -> None:
        """Read from these."""
        self._catalog = catalog
        self._snapshots = snapshots
        self._lists = lists
        self._kept: list[_LaterState] = []

    def at(self, at: str) -> PastCatalog:
        """The catalog at time `at`; raises `InvalidField` if too many changes would have to be undone."""
        index, sync = self._catalog.now()
        current = sync.read_at if sync else ""
        later = next((each for each in self._kept if each.precedes_none_before(at, current)), None)
        if later is None:
            later = self._next_state(at, index.models, current)
            self._kept = [later, *(each for each in self._kept if each.version != later.version)][:MAX_KEPT]
        return PastCatalog(CatalogIndex(before(later.models, later.changes_after(at, self._lists))))

    def _next_state(self, at: str, models: Sequence[CatalogModel], current: str) -> "_LaterState":
        stored = self._snapshots.first_since(at)
        if stored is None:
            return _LaterState(models, version=f"now#{current}", until=None, asked=at)
        kept = next((each for each in self._kept if each.version == stored.at), None)
        later = kept or _LaterState(stored.models, version=stored.at, until=stored.at, asked=at)
        later.asked = min(later.asked, at)
        return later


@dataclass(slots=True)
class _LaterState:
    """All models at time `until` (None: now), and the changes before it that were read so far, newest first.

    `asked` is the earliest time for which this is known to be the next stored state; `reached` is the earliest time
    whose later changes were all read, and `out_of_reach` the earliest one that can be reconstructed, if not all can.
    """

    models: Sequence[CatalogModel]
    version: str
    until: str | None
    asked: str
    changes: list[ModelChange] = field(default_factory=list)
    reached: str | None = None
    out_of_reach: str | None = None

    def precedes_none_before(self, at: str, current: str) -> bool:
        """Whether this is the next state after `at`; the current catalog is, until a sync has changed it."""
        is_later = at <= self.until if self.until else self.version == f"now#{current}"
        return is_later and self.asked <= at

    def changes_after(self, at: str, lists: ChangeLists) -> Iterable[ModelChange]:
        """The changes later than `at`, newest first; each is read from `lists` once."""
        if self.reached is None or at < self.reached:
            self._read_back_to(at, lists)
        return takewhile(lambda change: change.at > at, self.changes)

    def _read_back_to(self, at: str, lists: ChangeLists) -> None:
        if self.out_of_reach is not None and at < self.out_of_reach:
            raise _too_far()
        more = lists.after(at, until=self.reached or self.until)
        self.changes = [*self.changes, *islice(more, MAX_UNDONE - len(self.changes))]
        beyond = next(more, None)
        self.reached = beyond.at if beyond else at
        if beyond:
            self.out_of_reach = beyond.at
            raise _too_far()


def _too_far() -> InvalidField:
    problem = f"more than {MAX_UNDONE} changes before the next stored catalog"
    return InvalidField.named("at", f"{problem}. Ask for a later time, or for one model at a time")


def model_at(at: str, openrouter_id: str, catalog: Catalog, lists: ChangeLists) -> PastCatalog:
    """One model at time `at`, if it existed."""
    model = read_model(openrouter_id, catalog.now()[0])
    return PastCatalog(CatalogIndex(before([model], lists.after(at, openrouter_id))))
