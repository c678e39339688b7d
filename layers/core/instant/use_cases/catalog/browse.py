"""Browse the model catalog from memory."""

from instant.domain.catalog.index import CatalogIndex
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.errors import NotFound
from instant.ports.catalog.store import CatalogReader
from instant.ports.clock import Clock


class Catalog:
    """The catalog, cached in memory and read again only after a sync that may have changed it.

    Within `fresh_seconds` the last sync is not checked. A catalog that was never synced is checked on each call.
    """

    def __init__(self, reader: CatalogReader, clock: Clock, *, fresh_seconds: float) -> None:
        """Read through `reader`."""
        self._reader = reader
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._looked_at = 0.0
        self._sync: SyncRecord | None = None
        self._index = CatalogIndex(())

    def now(self) -> tuple[CatalogIndex, SyncRecord | None]:
        """All models, active or not, and the sync that wrote them."""
        if self._sync is None or self._clock.monotonic() >= self._looked_at + self._fresh_seconds:
            self._look()
        return self._index, self._sync

    def _look(self) -> None:
        looked_at = self._clock.monotonic()
        sync = self._reader.last_sync()
        if sync is None or self._sync is None or sync.read_at != self._sync.read_at:
            self._index = CatalogIndex(self._reader.all() if sync else ())
        self._sync, self._looked_at = sync, looked_at


def read_model(openrouter_id: str, index: CatalogIndex) -> CatalogModel:
    """One model, active or not."""
    model = index.get(openrouter_id)
    if model is None:
        raise NotFound.of("model")
    return model
