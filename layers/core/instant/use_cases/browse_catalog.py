"""Browse the model catalog: filter, sort, page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.errors import NotFound
from instant.domain.money import parse_usd
from instant.domain.page import Cursor, Page, PageRequest
from instant.ports import CatalogReader


class ModelSort(StrEnum):
    """In which order models are listed."""

    NEWEST = "newest"
    NAME = "name"
    PRICE = "price"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """Which models; None asks nothing. Prices are USD per prompt token."""

    text: str | None = None
    author: str | None = None
    input_modality: str | None = None
    output_modality: str | None = None
    supported_parameter: str | None = None
    min_context: int | None = None
    max_price: Decimal | None = None
    free: bool | None = None
    active: bool | None = True
    sort: ModelSort = ModelSort.NEWEST


class Catalog:
    """The catalog in memory: read again only after a sync that may have changed it."""

    def __init__(self, reader: CatalogReader) -> None:
        """Read through `reader`."""
        self._reader = reader
        self._read_at: str | None = None
        self._models: Sequence[CatalogModel] = ()

    def models(self) -> tuple[Sequence[CatalogModel], SyncRecord | None]:
        """Every model ever seen, and the sync that they come from."""
        record = self._reader.last_sync()
        if record is None:
            return (), None
        if record.read_at != self._read_at:
            self._models, self._read_at = self._reader.all(), record.read_at
        return self._models, record


def list_models(query: ModelQuery, page: PageRequest, models: Sequence[CatalogModel]) -> tuple[Page[CatalogModel], int]:
    """A page of the matching models, and how many match in all."""
    matching = sorted(filter(lambda model: _matches(query, model), models), key=_order(query.sort))
    start = 0
    if page.after:
        ids = [model.openrouter_id for model in matching]
        start = ids.index(page.after.item_id) + 1 if page.after.item_id in ids else len(ids)
    items = matching[start : start + page.limit]
    is_last = start + page.limit >= len(matching)
    return Page(items, None if is_last else Cursor(query.sort, items[-1].openrouter_id)), len(matching)


def read_model(openrouter_id: str, models: Sequence[CatalogModel]) -> CatalogModel:
    """One model, inactive ones too."""
    for model in models:
        if model.openrouter_id == openrouter_id:
            return model
    raise NotFound.of("model")


def is_free(model: CatalogModel) -> bool:
    """Whether its tokens and requests have no price; services may charge such a model's media all the same."""
    return all(
        parse_usd(price) == 0 for key, price in model.pricing.items() if key in {"prompt", "completion", "request"}
    )


def _matches(query: ModelQuery, model: CatalogModel) -> bool:
    price = _price(model)
    wanted = (query.text or "").lower()
    return (
        (query.active is None or model.is_active is query.active)
        and (query.author is None or model.provider == query.author)
        and (query.input_modality is None or query.input_modality in model.input_modalities)
        and (query.output_modality is None or query.output_modality in model.output_modalities)
        and (query.supported_parameter is None or query.supported_parameter in model.supported_parameters)
        and (query.min_context is None or (model.context_length or 0) >= query.min_context)
        and (query.max_price is None or (price is not None and 0 <= price <= query.max_price))
        and (query.free is None or is_free(model) is query.free)
        and wanted in f"{model.openrouter_id}\n{model.display_name}\n{model.description}".lower()
    )


def _order(sort: ModelSort) -> Callable[[CatalogModel], Any]:
    """Ties are broken by id, so that an order is one order; what has no price or length comes last."""
    orders: dict[ModelSort, Callable[[CatalogModel], Any]] = {
        ModelSort.NEWEST: lambda model: -(model.released_at or 0),
        ModelSort.NAME: lambda model: model.display_name.lower(),
        ModelSort.PRICE: lambda model: (
            price if (price := _price(model)) is not None and price >= 0 else Decimal("Infinity")
        ),
        ModelSort.CONTEXT: lambda model: -(model.context_length or 0),
    }
    return lambda model: (orders[sort](model), model.openrouter_id)


def _price(model: CatalogModel) -> Decimal | None:
    return parse_usd(model.pricing.get("prompt"))
