"""Rows with irregular values that a client must handle; each was observed in the real catalog."""

from collections.abc import Sequence
from datetime import date, timedelta

from tests.fakes.openrouter.catalog.build import COMMON, SAMPLING, STRUCTURE, THOUGHT, TOOLS, Json, model

# Invented keys; all others occur in recordings or in the specification.
UNDOCUMENTED = frozenset({"mascot", "pricing.per_smile", "architecture.temperament", "architecture.temperament.calm"})


def rows(today: date) -> list[Json]:
    """New rows of all irregular models."""
    return [*_routers(), *_prices(), *_lengths(), *_gaps(), *_expiring(today)]


def _routers() -> list[Json]:
    """Routers, which pick a model; price -1 means that it varies, and 0 is not always free."""
    return [
        _router("openrouter/auto", "Auto Router", "Looks at a prompt and picks a model for it.", "-1/-1",
                sees="text image file audio video", makes="text image",
                accepts=(*COMMON, *THOUGHT, "web_search_options")),
        _router("openrouter/fusion", "Fusion Router", "Asks several models, merges the answers.", "-1/-1", accepts=()),
        _router("openrouter/free", "Free Models Router", "Picks some free model.", "0/0", context=200_000,
                hugging_face_id=""),
    ]  # fmt: skip


def _router(model_id: str, name: str, about: str, usd: str, **more: object) -> Json:
    row = {"context": 2_000_000, "served": None, "cap": None, "tokenizer": "Router", "canonical_slug": model_id}
    return model(model_id, name, about, usd, **{**row, **more})


def _prices() -> list[Json]:
    long_price = {"prompt": "0.00000008333333333333334", "completion": "0.00000033333333333333334"}
    night = {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000001", "completion": "0.0000004"}
    return [
        model("stealth/moth-alpha", "Moth Alpha", "An unnamed guest, free on trial.", "0/0", hugging_face_id=""),
        model("juniper/thirds-3x", "Juniper: Thirds 3x", "Its price is a third.", "0/0", prices=long_price),
        model("harbor/nightshift", "Harbor: Nightshift", "Cheaper when Europe sleeps.", "0.4/1.6",
              prices={"overrides": [night]}),
        model("meadow/bargain-bin", "Meadow: Bargain Bin", "Sold with a discount, charged per request too.", "0.2/0.8",
              prices={"discount": 0.25, "request": "0.0005", "web_search": "0"}),
    ]  # fmt: skip


def _lengths() -> list[Json]:
    return [
        model("northwind/endless", "Northwind: Endless", "Nobody has measured its context.", "0.3/0.9",
              context=None, cap=None),
        model("northwind/overflow", "Northwind: Overflow", "May write more than it can hold.", "0.3/0.9",
              context=32_768, cap=65_536),
        model("juniper/lesser-host", "Juniper: Lesser Host", "Its best host serves half of its context.", "0.3/0.9",
              context=262_144, served=131_072, cap=131_072),
    ]  # fmt: skip


def _gaps() -> list[Json]:
    """Models with missing or undocumented keys and parameters."""
    untold = model("juniper/old-timer:2", "Juniper: Old Timer 2", "From before most keys existed.", "0.5/1.5",
                   context=4_096, cap=None, accepts=("max_tokens", *SAMPLING))  # fmt: skip
    tomorrow = model("stealth/from-tomorrow", "From Tomorrow", "Speaks of things not yet released.", "0.2/0.6",
                     sees="text scent", accepts=(*COMMON, "telepathy"), mascot=None)  # fmt: skip
    tomorrow["pricing"]["per_smile"] = "0.000001"
    tomorrow["architecture"]["temperament"] = {"calm": True}
    return [
        _without(untold, ("supported_voices", "knowledge_cutoff", "expiration_date", "hugging_face_id")),
        tomorrow,
        model("meadow/silent-cap", "Meadow: Silent Cap", "Knows no way to be cut short.", "0.1/0.3",
              accepts=(*SAMPLING, *TOOLS)),
        model("meadow/tools-only", "Meadow: Tools Only", "Takes tools but no choice among them.", "0.1/0.3",
              accepts=("max_tokens", "tools", *SAMPLING), supported_voices=[]),
        model("harbor/half-structured", "Harbor: Half Structured", "Schemas yes, response_format no.", "0.1/0.3",
              accepts=("max_tokens", STRUCTURE[1], *SAMPLING), per_request_limits=None),
        model("stealth/bare", "Bare", "Supports nothing by name.", "0.1/0.3", accepts=()),
    ]  # fmt: skip


def _without(row: Json, keys: Sequence[str]) -> Json:
    return {key: value for key, value in row.items() if key not in keys}


def _expiring(today: date) -> list[Json]:
    """Models that expire soon or today, and two whose dates mean "never"."""
    ends = {
        "soon": f"{today + timedelta(days=6)}",
        "today": f"{today}",
        "2098": "2098-12-31",
        "9999": "9999-01-01",
    }
    about = "Its last day is known, or pretends to be."
    return [
        model(f"northwind/farewell-{name}", f"Northwind: Farewell {name}", about, "0.2/0.4", expiration_date=end)
        for name, end in ends.items()
    ]
