"""Monthly snapshots of the catalog in DynamoDB, compressed, in chunks that fit an item."""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import batched
from typing import override

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from instant.adapters.aws.batch_writes import write_items
from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.domain.catalog.change import typed
from instant.domain.catalog.model import CatalogModel
from instant.ports.catalog.snapshots import SnapshotReader, SnapshotWriter, StoredCatalog

_SNAPSHOTS = "#snapshots"
"""The partition of the snapshots in the table of changes; the id of a model contains a slash."""

CHUNK_BYTES = 300_000
"""Size of a chunk; an item can have 400 KB."""

_BETWEEN = "#"
_LAST = "~"


class ChunkRow(Table):
    """One chunk of a snapshot; `place` is the time of the snapshot and the number of the chunk."""

    openrouter_id = UnicodeAttribute(hash_key=True, default=_SNAPSHOTS)
    place = UnicodeAttribute(range_key=True)
    chunks = IntegerAttribute()
    content = BinaryAttribute(legacy_encoding=False)


class DynamoSnapshots(SnapshotReader, SnapshotWriter):
    """Snapshots in the table of changes, outside of its index."""

    def __init__(self, changes_table: str) -> None:
        """Use the table of this name."""
        self._rows = ChunkRow.named(changes_table)

    @override
    def put(self, at: str, models: Iterable[CatalogModel]) -> None:
        facts = [{"openrouter_id": model.openrouter_id, **asdict(model)} for model in models]
        packed = zlib.compress(json.dumps(facts, ensure_ascii=False).encode())
        parts = [bytes(part) for part in batched(packed, CHUNK_BYTES, strict=False)]
        write_items(
            self._rows,
            (
                self._rows(place=f"{at}{_BETWEEN}{number:03}", chunks=len(parts), content=part)
                for number, part in enumerate(parts)
            ),
        )

    @override
    def first_since(self, at: str) -> StoredCatalog | None:
        """Read chunk by chunk: the first snapshot is usually complete, and one chunk."""
        current, found = "", list[bytes]()
        for row in self._since(at):
            taken_at, _, number = row.place.partition(_BETWEEN)
            if taken_at != current:
                current, found = taken_at, []
            if int(number) == len(found):
                found.append(row.content)
            if len(found) == row.chunks:
                return StoredCatalog(taken_at, _models(b"".join(found)))
        return None

    def _since(self, at: str) -> Iterator[ChunkRow]:
        return iter(self._rows.query(_SNAPSHOTS, self._rows.place.between(at, _LAST), page_size=1))


def _models(packed: bytes) -> list[CatalogModel]:
    facts = json.loads(zlib.decompress(packed))
    return [CatalogModel(openrouter_id=each["openrouter_id"], **typed(each)) for each in facts]
