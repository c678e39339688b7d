"""What happened to a model, told forwards: each recorded change is applied to the model before it."""

from dataclasses import replace

from instant.domain.catalog.change import ChangeKind, ModelChange, undo
from instant.domain.catalog.model import CatalogModel


def redo(model: CatalogModel | None, change: ModelChange) -> CatalogModel:
    """The model after the change: the change with its two sides exchanged is undone."""
    before = model or CatalogModel(openrouter_id=change.openrouter_id, canonical_slug="", display_name="", provider="")
    after = undo(before, replace(change, kind=ChangeKind.LIMITS, old=change.new, new=change.old))
    assert after is not None
    return after
