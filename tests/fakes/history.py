"""Applies recorded changes to a model in chronological order."""

from dataclasses import replace

from instant.domain.catalog.change import ChangeKind, ModelChange, undo
from instant.domain.catalog.model import CatalogModel


def redo(model: CatalogModel | None, change: ModelChange) -> CatalogModel:
    """The model after the change, computed by undoing the change with its old and new values swapped."""
    before = model or CatalogModel(openrouter_id=change.openrouter_id, canonical_slug="", display_name="", provider="")
    after = undo(before, replace(change, kind=ChangeKind.LIMITS, old=change.new, new=change.old))
    assert after is not None
    return after
