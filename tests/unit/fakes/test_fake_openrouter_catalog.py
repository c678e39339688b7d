"""The fake catalog and the routes that read it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.catalog import default_catalog

Json = dict[str, Any]

CATALOG = default_catalog(date(2026, 11, 22))
BY_ID = {row["id"]: row for row in CATALOG}


def rows(client: httpx.Client, query: str = "") -> list[Json]:
    listed: list[Json] = client.get(f"/models{query}").raise_for_status().json()["data"]
    return listed


def test_catalog_lists_only_text_models_by_default(client: httpx.Client, openrouter: FakeOpenRouter) -> None:
    plain, everything = rows(client), rows(client, "?output_modalities=all")
    assert all("text" in row["architecture"]["output_modalities"] for row in plain)
    assert len(plain) < len(everything) == len(openrouter.catalog)
    assert {row["id"] for row in rows(client, "?output_modalities=embeddings,rerank")} == {
        "northwind/compass-embed-small",
        "northwind/compass-rerank",
    }


def test_catalog_lists_the_newest_first(client: httpx.Client) -> None:
    created = [row["created"] for row in rows(client)]
    assert created == sorted(created, reverse=True)


def test_catalog_filters_models_by_query(client: httpx.Client) -> None:
    assert {row["id"] for row in rows(client, "?q=Lark")} >= {"meadow/lark", "meadow/lark-mini:free"}
    assert all("image" in row["architecture"]["input_modalities"] for row in rows(client, "?input_modalities=image"))
    assert all("reasoning" in row["supported_parameters"] for row in rows(client, "?supported_parameters=reasoning"))


def test_catalog_requires_no_key(openrouter: FakeOpenRouter) -> None:
    assert httpx.get(f"{openrouter.url}/models").status_code == 200
    assert httpx.get(f"{openrouter.url}/models/user").status_code == 401


def test_catalog_pages_cover_the_whole_list(client: httpx.Client, openrouter: FakeOpenRouter) -> None:
    seen, following = [], "/api/v1/models?output_modalities=all&limit=25"
    while following:
        page = client.get(openrouter.url.removesuffix("/api/v1") + following).json()
        assert page["total_count"] == len(openrouter.catalog)
        seen += [row["id"] for row in page["data"]]
        following = page["links"]["next"]
    assert sorted(seen) == sorted(row["id"] for row in openrouter.catalog)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=1001", "?offset=-1", "?limit=many"])
def test_catalog_rejects_an_invalid_page(client: httpx.Client, query: str) -> None:
    assert client.get(f"/models{query}").status_code == 400


def test_catalog_returns_304_for_an_unchanged_list(client: httpx.Client, openrouter: FakeOpenRouter) -> None:
    tag = client.get("/models").headers["ETag"]
    unchanged = client.get("/models", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    openrouter.catalog = openrouter.catalog[1:]
    assert client.get("/models", headers={"If-None-Match": tag}).status_code == 200


def test_catalog_returns_a_scripted_list_unchanged(client: httpx.Client, openrouter: FakeOpenRouter) -> None:
    openrouter.serve_catalog(b"<html>", 503, {"Content-Type": "text/html"})
    broken = client.get("/models?offset=0")
    assert (broken.status_code, broken.content, broken.headers["Content-Type"]) == (503, b"<html>", "text/html")
    openrouter.catalog = [BY_ID["meadow/lark"]]
    assert [row["id"] for row in rows(client)] == ["meadow/lark"]


def test_catalog_returns_the_model_count(client: httpx.Client) -> None:
    assert client.get("/models/count").json() == {"data": {"count": len(rows(client))}}


@pytest.mark.parametrize(
    "name", ["~meadow/lark-latest", "meadow/lark-mini:free", "anthropic/claude-4.5-haiku-20251001"]
)
def test_catalog_returns_one_model(client: httpx.Client, name: str) -> None:
    found = client.get(f"/model/{name}").raise_for_status().json()["data"]
    assert name in (found["id"], found["canonical_slug"])


def test_catalog_returns_404_for_an_unknown_model(client: httpx.Client) -> None:
    assert client.get("/model/nobody/nothing").json()["error"]["code"] == 404


def test_catalog_returns_the_endpoints_of_a_model(client: httpx.Client, openrouter: FakeOpenRouter) -> None:
    served = client.get("/models/meadow/lark/endpoints").json()["data"]["endpoints"]
    cheap, dear = (Decimal(endpoint["pricing"]["prompt"]) for endpoint in served)
    assert (served[0]["provider_name"], dear) == ("Meadow", cheap * Decimal("1.5"))
    assert client.get("/models/openrouter/auto/endpoints").json()["data"]["endpoints"] == []
    unmeasured = httpx.get(f"{openrouter.url}/models/meadow/lark/endpoints").json()["data"]["endpoints"]
    assert unmeasured[0]["latency_last_30m"] is None


def test_catalog_ids_are_unique_but_slugs_are_not() -> None:
    assert len(BY_ID) == len(CATALOG) >= 60
    assert len({row["canonical_slug"] for row in CATALOG}) < len(CATALOG)
    assert BY_ID["meadow/lark-mini:free"]["canonical_slug"] == BY_ID["meadow/lark-mini"]["canonical_slug"]


def test_catalog_prices_are_plain_decimal_strings() -> None:
    prices = [price for row in CATALOG for price in row["pricing"].values() if isinstance(price, str)]
    assert all(f"{Decimal(price):f}" == price for price in prices)
    assert {"-1", "0"} <= set(prices)
    assert max(map(len, prices)) >= 25


def test_catalog_has_the_irregularities_of_the_real_catalog() -> None:
    assert BY_ID["openrouter/auto"]["pricing"]["prompt"] == "-1"
    assert BY_ID["stealth/moth-alpha"]["pricing"]["prompt"] == "0"
    assert BY_ID["~meadow/lark-latest"]["alias_target"]["slug"] == "meadow/lark"
    assert BY_ID["northwind/endless"]["context_length"] is None
    assert BY_ID["northwind/overflow"]["top_provider"]["max_completion_tokens"] > 32_768
    assert BY_ID["stealth/bare"]["supported_parameters"] == []
    assert "hugging_face_id" not in BY_ID["juniper/old-timer:2"]
    assert "temperature" not in BY_ID["openai/gpt-5-mini"]["supported_parameters"]
    assert "max_tokens" not in BY_ID["meadow/silent-cap"]["supported_parameters"]
    assert set(BY_ID["deepseek/deepseek-v3.1-terminus"]["default_parameters"].values()) == {None}
    assert {row["hugging_face_id"] for row in CATALOG if "hugging_face_id" in row} >= {None, ""}


def test_catalog_expiration_dates_are_near_far_or_placeholders() -> None:
    dates = {row.get("expiration_date") for row in CATALOG}
    assert dates == {None, "2026-11-22", "2026-11-28", "2098-12-31", "9999-01-01"}
    today = datetime.now(UTC).date().isoformat()
    assert any(row.get("expiration_date") == today for row in default_catalog())
