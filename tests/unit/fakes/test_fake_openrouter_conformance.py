"""Every key in the fake's responses occurs in a recording or in the official specification."""

import gzip
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.catalog import UNDOCUMENTED, default_catalog
from tests.fakes.openrouter.chat.error_directives import KINDS
from tests.integration.browser import allow
from tests.unit.fakes.conftest import Ask

REAL = Path(__file__).parents[4] / "shared" / "data" / "openrouter"
RECORDED = REAL / "recorded"
CHAT = "/chat/completions"

pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the recordings are not available")

# Documented only in prose: errors inside a choice, the availability of a model, and images in a stream.
BY_DESCRIPTION = ("choices[].error", "error.availability", "choices[].delta.images")

Paths = set[str]


def key_paths(value: Any, prefix: str = "") -> Iterator[str]:
    """All key paths of a JSON value: `choices[].message.role`."""
    if isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{prefix}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            path = f"{prefix}.{key}".lstrip(".")
            yield path
            yield from key_paths(item, path)


def unknown_paths(sent: Paths, known: Paths) -> Paths:
    """The paths in `sent` that are not in `known`; `x.*` covers all paths below x."""
    open_ends = [path.removesuffix("*") for path in known if path.endswith(".*")]
    open_ends += [f"{path}{end}" for path in BY_DESCRIPTION for end in (".", "[")]
    unknown = sent - known - set(BY_DESCRIPTION)
    return {path for path in unknown if not path.startswith(tuple(open_ends))}


@cache
def specification() -> Any:
    text = gzip.decompress((REAL / "openapi-2026-08-22.yaml.gz").read_bytes())
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def schema_paths(schema: Any, prefix: str = "", within: tuple[str, ...] = ()) -> Iterator[str]:
    """All key paths that a JSON Schema allows."""
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    if name and name not in within:
        yield from schema_paths(specification()["components"]["schemas"][name], prefix, (*within, name))
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from schema_paths(part, prefix, within)
    if "items" in schema:
        yield from schema_paths(schema["items"], f"{prefix}[]", within)
    if "additionalProperties" in schema:
        yield f"{prefix}.*"
    for key, part in schema.get("properties", {}).items():
        path = f"{prefix}.{key}".lstrip(".")
        yield path
        yield from schema_paths(part, path, within)


@cache
def specified(method: str, path: str, *statuses: str) -> Paths:
    responses = specification()["paths"][path][method]["responses"]
    bodies = (body for status in statuses for body in responses[status]["content"].values())
    return {known for body in bodies for known in schema_paths(body["schema"])}


def recorded(pattern: str) -> Paths:
    return {path for file in RECORDED.glob(pattern) for path in key_paths(json.loads(file.read_bytes()))}


def quoted(*prefixes: str) -> Paths:
    bodies = json.loads((RECORDED / "quoted-bodies.json").read_bytes())["bodies"]
    return {path for body in bodies if body["name"].startswith(prefixes) for path in key_paths(body["body"])}


def chunks(text: str) -> list[Any]:
    data = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {"))
    return [json.loads(line) for line in data]


DIRECTIVES = (
    "empty",
    "null-content",
    "reasoning-only",
    "refusal",
    "content-filter",
    "tool-calls",
    "choice-error",
    "no-cost",
)
MODELS: Iterable[tuple[str, dict[str, Any]]] = [
    ("anthropic/claude-haiku-4.5", {"reasoning": {"effort": "low"}}),
    ("google/gemini-2.5-flash-image", {"modalities": ["image", "text"]}),
    ("openai/gpt-5-mini", {}),
    ("harbor/lighthouse-pro", {}),
]


def test_completions_contain_only_known_keys(ask: Ask) -> None:
    sent = {path for wish in DIRECTIVES for path in key_paths(ask(f"Tides? [[fake: {wish}]]").json())}
    sent |= {path for model, more in MODELS for path in key_paths(ask("Tides?", model=model, **more).json())}
    assert unknown_paths(sent, recorded("*-chat-*.response.json") | specified("post", CHAT, "200")) == set()


def test_ordinary_completion_contains_all_recorded_keys(ask: Ask) -> None:
    assert recorded("01-chat-text.response.json") <= set(key_paths(ask("Tides?").json()))


def test_streams_contain_only_known_keys(ask: Ask) -> None:
    sent: Paths = set()
    for wish in (*DIRECTIVES, "midstream-error", "200-error", "show-key reasoning", "show-key arguments"):
        sent |= set(key_paths(chunks(ask(f"Tides? [[fake: {wish}]]", stream=True).text)))
    for model, more in MODELS:
        sent |= set(key_paths(chunks(ask("Tides?", model=model, stream=True, **more).text)))
    known = {path for file in RECORDED.glob("*-stream-*.sse") for path in key_paths(chunks(file.read_text()))}
    known |= {f"[].{path}" for path in schema_paths({"$ref": "#/components/schemas/ChatStreamChunk"})}
    assert (
        unknown_paths({path.removeprefix("[].") for path in sent}, {path.removeprefix("[].") for path in known})
        == set()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_errors_contain_only_known_keys(ask: Ask, kind: str) -> None:
    known = specified("post", CHAT, "400", "401", "402", "403", "404", "429", "500", "502", "503")
    sent = set(key_paths(ask(f"Tides? [[fake: error {kind}]]").json()))
    assert unknown_paths(sent, known | recorded("*-error-*.response.json") | quoted("4")) == set()


def test_catalog_rows_contain_only_known_keys() -> None:
    files = REAL.glob("models-*.json")
    real = {path for file in files for row in json.loads(file.read_bytes())["data"] for path in key_paths(row)}
    known = real | {path.removeprefix("data[].") for path in specified("get", "/models", "200")}
    assert unknown_paths({path for row in default_catalog() for path in key_paths(row)}, known) == UNDOCUMENTED


def test_catalog_descriptions_do_not_copy_real_ones() -> None:
    files = REAL.glob("models-*.json")
    theirs = {row["description"] for file in files for row in json.loads(file.read_bytes())["data"]}
    assert not theirs & {row["description"] for row in default_catalog()}


@pytest.mark.parametrize(
    ("path", "specified_as", "quotes"),
    [
        ("/models?limit=1", "/models", ()),
        ("/model/meadow/lark", "/model/{author}/{slug}", ()),
        ("/models/anthropic/claude-sonnet-4.5/endpoints", "/models/{author}/{slug}/endpoints", ()),
        ("/models/count", "/models/count", ()),
        ("/key", "/key", ("200-key",)),
        ("/generation", "/generation", ("200-generation",)),
    ],
)
def test_read_routes_contain_only_known_keys(
    openrouter: FakeOpenRouter, client: httpx.Client, ask: Ask, path: str, specified_as: str, quotes: tuple[str, ...]
) -> None:
    openrouter.release_generations()
    query = {"id": ask("Tides?").json()["id"]} if path == "/generation" else None
    sent = set(key_paths(client.get(path, params=query).raise_for_status().json()))
    assert unknown_paths(sent, specified("get", specified_as, "200") | (quoted(*quotes) if quotes else set())) == set()


def test_key_exchange_matches_the_specification(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    page = httpx.URL(openrouter.auth_url, params={"code_challenge": "v" * 43, "code_challenge_method": "plain"})
    proof = {"code": allow(str(page))[1]["code"], "code_verifier": "v" * 43, "code_challenge_method": "plain"}
    sent = set(key_paths(client.post("/auth/keys", json=proof).raise_for_status().json()))
    assert sent == specified("post", "/auth/keys", "200")
    refused = client.post("/auth/keys", json=proof)
    assert refused.status_code == 403
    assert unknown_paths(set(key_paths(refused.json())), specified("post", "/auth/keys", "403")) == set()


def test_headers_contain_only_known_names(ask: Ask) -> None:
    calls = json.loads((RECORDED / "INDEX.json").read_bytes())
    known = {name.lower() for call in calls for name in call["headers"]}
    assert set(ask("Tides?").headers) | set(ask("Tides?", stream=True).headers) <= known
