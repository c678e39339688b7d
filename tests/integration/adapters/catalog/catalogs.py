"""The catalog's parts in a house, and models put into it as a sync would."""

from collections.abc import Iterable

from instant.adapters.catalog.store import DynamoCatalogWriter
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import Transition
from tests.integration.house import House


def writer_of(house: House) -> DynamoCatalogWriter:
    """The catalog as the sync has it."""
    return DynamoCatalogWriter(*map(house.name, ("MODELS_TABLE", "LIMITS_TABLE", "MODEL_CHANGES_TABLE")))


def write_models(house: House, models: Iterable[CatalogModel]) -> None:
    """Store these models, without a history."""
    writer_of(house).write([Transition(model, ()) for model in models])
