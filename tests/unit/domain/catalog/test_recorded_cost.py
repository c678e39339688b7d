"""Recorded OpenRouter charges are compared with the cost from the catalog of 2026-06-08 for the same usage."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import expected_usd, recomputed_nanousd
from instant.domain.exchange import Reply
from instant.domain.executions.receipt import Receipt
from instant.domain.money import NANO
from instant.integrations.openrouter.catalog import read_listing
from instant.integrations.openrouter.parsing import mapping, parse, receipt_of

DATA = Path(__file__).parents[5] / "shared/data/openrouter"
CATALOG = DATA / "models-2026-06-08.json"
AT = datetime(2026, 6, 8, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not CATALOG.exists(), reason="the recordings are not part of the repository")

DRIFT = {
    "01-chat-text": ("anthropic/claude-haiku-4.5", "0"),
    "02-chat-tools-turn-1": ("anthropic/claude-haiku-4.5", "0"),
    "02-chat-tools-turn-2": ("anthropic/claude-haiku-4.5", "0"),
    "04-chat-json-schema": ("anthropic/claude-haiku-4.5", "0"),
    "10-chat-web-search-annotations": ("openai/gpt-5.2", "0"),
    "11-chat-web-search-exa": ("deepseek/deepseek-chat", "-0.000141562"),
    "13-chat-pdf-native": ("google/gemini-2.5-flash", "0"),
    "16-chat-image-output": ("google/gemini-2.5-flash-image", None),
}
"""The catalog's cost less the bill in USD: 11 was billed above the listed price; 16 has unpriced image tokens."""


@pytest.fixture(scope="module")
def catalog() -> dict[str, CatalogModel]:
    listing = read_listing(Reply(status=200, body=CATALOG.read_bytes()))
    assert listing
    return {model.openrouter_id: model for model in listing.models}


def receipt(name: str) -> Receipt:
    """Return the receipt of a recorded response."""
    reply = Reply(status=200, body=(DATA / "recorded" / f"{name}.response.json").read_bytes())
    return receipt_of(reply, mapping(parse(reply)))


@pytest.mark.parametrize("name", DRIFT)
def test_recorded_cost_differs_from_the_bill_by_a_known_amount(catalog: dict[str, CatalogModel], name: str) -> None:
    (model, drift), read = DRIFT[name], receipt(name)
    assert read.usage
    assert read.cost_nanousd
    usd = expected_usd(catalog[model], read.usage, AT)
    assert (None if usd is None else usd - read.cost_nanousd / NANO) == (None if drift is None else Decimal(drift))


@pytest.mark.parametrize("name", DRIFT)
def test_recorded_cost_matches_what_the_ledger_recomputes(catalog: dict[str, CatalogModel], name: str) -> None:
    (model, drift), read = DRIFT[name], receipt(name)
    computed = recomputed_nanousd([catalog[model]], read, AT)
    assert (None if computed is None else computed - (read.cost_nanousd or 0)) == (
        None if drift is None else int(Decimal(drift) * NANO)
    )


@pytest.mark.parametrize(("pages", "extra"), [(0, 0), (3, 6_000_000), (None, None)])
def test_recorded_cost_contains_the_pages_read_for_a_charge(
    catalog: dict[str, CatalogModel], pages: int | None, extra: int | None
) -> None:
    model, read = catalog["google/gemini-2.5-flash"], receipt("13-chat-pdf-native")
    without, with_pages = recomputed_nanousd([model], read, AT), recomputed_nanousd([model], read, AT, ocr_pages=pages)
    assert without is not None
    assert with_pages == (None if extra is None else without + extra)
