"""The status of a resource's model: active, expiring, gone or unusable."""

from dataclasses import replace
from datetime import date

import pytest

from instant.domain.catalog.model import CatalogModel, ModelStatus, model_status
from instant.resource_types.openrouter_instant import OpenRouterInstant

SUPPORTS = OpenRouterInstant().supports

TODAY = date(2026, 11, 22)
MODEL = CatalogModel(
    openrouter_id="meadow/lark",
    canonical_slug="meadow/lark",
    display_name="Lark",
    provider="meadow",
    output_modalities=("text",),
    pricing={"prompt": "0.1", "completion": "0.1"},
)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (None, "ok"),
        ("2026-12-22", "expiring"),
        ("2026-12-23", "ok"),
        ("2026-11-22", "expiring"),
        ("2026-11-01", "expiring"),
        ("2026-12-22T00:00:00Z", "expiring"),
        ("2098-12-31", "ok"),
        ("9999-01-01", "ok"),
        ("soon", "ok"),
        ("", "ok"),
    ],
)
def test_model_status_reports_an_end_within_thirty_days(end: str | None, status: str) -> None:
    assert model_status(replace(MODEL, expiration_date=end), TODAY, SUPPORTS) == status


def test_model_status_ignores_an_unlimited_expiration_date() -> None:
    assert model_status(replace(MODEL, expiration_date="2098-12-31"), date(2098, 12, 30), SUPPORTS) is ModelStatus.OK


def test_model_status_ranks_gone_before_unusable_before_expiring() -> None:
    ending = replace(MODEL, expiration_date="2026-11-23", output_modalities=("audio",))
    assert model_status(None, TODAY, SUPPORTS) is ModelStatus.GONE
    assert model_status(replace(ending, is_active=False), TODAY, SUPPORTS) is ModelStatus.GONE
    assert model_status(ending, TODAY, SUPPORTS) is ModelStatus.UNUSABLE
