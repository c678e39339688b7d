"""Response bodies of catalog changes."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.domain.catalog.change import ChangeKind, ModelChange
from instant.entrypoints.http.fields import JsonObject, Time


class ModelChangeView(TypedDict):
    """One change of one model: the facts that differ, as they were and as they are since `at`."""

    openrouter_id: str
    at: Time
    kind: ChangeKind
    old: Annotated[JsonObject, Field(description="Empty for an added model.")]
    new: Annotated[JsonObject, Field(description="For an added model, all facts that are set.")]


def change_view(change: ModelChange) -> ModelChangeView:
    """A change of a model."""
    return {
        "openrouter_id": change.openrouter_id,
        "at": change.at,
        "kind": change.kind,
        "old": dict(change.old),
        "new": dict(change.new),
    }
