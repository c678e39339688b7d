"""Responses about models, as text: each row is serialized once, and each response hashed once, per catalog."""

import json
from collections.abc import Callable, Hashable

from aws_lambda_powertools.event_handler import Response

from instant.domain.catalog.index import CatalogIndex, ModelSort
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.query import ModelQuery
from instant.domain.page import PageRequest
from instant.entrypoints.catalog.models import model_view
from instant.entrypoints.http.conditional import IfNoneMatch, tag_of, tagged, unchanged
from instant.use_cases.catalog.browse import Catalog, read_model
from instant.use_cases.catalog.past import PastCatalog

MAX_TAGS = 2_000
"""Maximum number of cached entity tags; the cache is cleared when it is full."""


class ModelAnswers:
    """Builds responses from the catalog in memory, or from a past catalog."""

    def __init__(self, catalog: Catalog | PastCatalog) -> None:
        """Answer from `catalog`."""
        self._catalog = catalog
        self._state: tuple[CatalogIndex, SyncRecord | None] | None = None
        self._rows: dict[str, str] = {}
        self._tags: dict[Hashable, str] = {}

    def page(self, query: ModelQuery, sort: ModelSort, page: PageRequest, if_none_match: IfNoneMatch) -> Response[str]:
        """A page of the models that match, with the exact total."""

        def write(index: CatalogIndex) -> str:
            found, total = index.page(query, sort, page)
            rows = ",".join(map(self._row, found.items))
            cursor = json.dumps(found.next and found.next.encode())
            return f'{{"data":[{rows}],"next_cursor":{cursor},"total":{total}}}'

        return self._answer((query, sort, page), write, if_none_match)

    def one(self, openrouter_id: str, if_none_match: IfNoneMatch) -> Response[str]:
        """One model, active or not."""
        return self._answer(openrouter_id, lambda index: self._row(read_model(openrouter_id, index)), if_none_match)

    def _answer(
        self, question: Hashable, write: Callable[[CatalogIndex], str], if_none_match: IfNoneMatch
    ) -> Response[str]:
        """The output of `write` for the current catalog, or 304 if the caller has it cached."""
        index = self._present()
        tag = self._tags.get(question)
        if tag and tag in if_none_match:
            return unchanged(tag)
        text = write(index)
        if len(self._tags) >= MAX_TAGS:
            self._tags.clear()
        tag = self._tags[question] = tag_of(text)
        return unchanged(tag) if tag in if_none_match else tagged(text, tag)

    def _present(self) -> CatalogIndex:
        """The current catalog; cached text of another catalog is dropped."""
        state = self._catalog.now()
        if state != self._state:
            self._state = state
            self._rows.clear()
            self._tags.clear()
        return state[0]

    def _row(self, model: CatalogModel) -> str:
        if model.openrouter_id not in self._rows:
            sync = self._state[1] if self._state else None
            self._rows[model.openrouter_id] = json.dumps(model_view(model, sync), separators=(",", ":"))
        return self._rows[model.openrouter_id]
