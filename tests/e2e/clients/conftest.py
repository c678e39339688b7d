"""Fixtures of the client tests: a stack of their own with one resource of each kind, and the clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.clients.programs import Calls, Client, node_client, python_client
from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built

LIMITS = {"ExecutePerMinute": "10000", "MostInFlight": "100", "RatePerMinute": "10000"}

TEMPLATE = {
    "template": "Explain {{topic}} to a baker.",
    "input_schema": {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]},
}

LETTER = {
    "template": "Tell {{to}} about {{about}}.",
    "input_schema": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "about": {"type": "string"}},
        "required": ["to", "about"],
    },
}

RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("openrouter_instant", {"model": "meadow/magpie-omni", "max_tokens": 400}),
    "guided": ("openrouter_instant", {"model": "meadow/lark", "max_tokens": 400, "system_prompt": "Be brief."}),
    "thinker": ("openrouter_instant", {"model": "anthropic/claude-haiku-4.5", "reasoning": {"effort": "low"}}),
    "steady": ("openrouter_instant", {"model": "openai/gpt-5-mini", "max_tokens": 400}),
    "painter": ("openrouter_instant", {"model": "juniper/fresco-2", "max_tokens": 400}),
    "explainer": ("prompt_template", {"model": "meadow/lark", "max_tokens": 400, **TEMPLATE}),
    "letter": ("prompt_template", {"model": "meadow/lark", "max_tokens": 400, **LETTER}),
    "compass": ("openrouter_embeddings", {"model": "northwind/compass-embed-small"}),
}
"""The resources of alice, by slug: their types and settings."""


@dataclass(frozen=True)
class Service:
    """The service as clients see it: a stack, and the models that it serves."""

    world: World
    models: dict[str, Any]

    @property
    def url(self) -> str:
        """The base URL of the clients."""
        return f"{self.world.stack.url}/v1"

    def model(self, slug: str) -> str:
        """The name of a model: the address of its resource."""
        return str(self.models[slug]["address"])

    def sent(self, text: str) -> list[Any]:
        """The bodies of the requests to OpenRouter that contain this text."""
        return [call.json for call in self.world.fake.requests if text.encode() in call.body]

    def executions(self, user: str = "alice") -> list[Any]:
        """The newest executions."""
        return list(self.world.done(200, user, "GET", "/api/executions")["data"])


@dataclass(frozen=True)
class Sdk:
    """A client of OpenAI's API, and the names of its settings."""

    name: str
    client: Client
    names: tuple[str, str, str]

    def run(self, url: str, key: str, calls: Calls, retries: int | None = None, **more: Any) -> Any:
        """Make the calls with a key; `retries` replaces the client's default."""
        base_url, api_key, max_retries = self.names
        settings = {base_url: url, api_key: key, **more}
        return self.client.run(settings if retries is None else {**settings, max_retries: retries}, calls)


@pytest.fixture(scope="session")
def service(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A stack on the built functions with the resources of alice; bob has connected a key too."""
    folder = tmp_path_factory.mktemp("clients")
    with open_world(built, folder / "log", parameters=LIMITS) as world:
        world.sync()
        for user in ("alice", "bob"):
            world.connect(user)
        yield Service(world, {slug: _create(world, slug) for slug in RESOURCES})


def _create(world: World, slug: str) -> Any:
    resource_type, config = RESOURCES[slug]
    return world.resource(
        "alice", name=slug, slug=slug, resource_type=resource_type, config=config, visibility="public"
    )


@pytest.fixture(scope="session", params=["python", "node"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """Each of OpenAI's clients."""
    if request.param == "python":
        return Sdk("python", python_client("openai_python.py"), ("base_url", "api_key", "max_retries"))
    return Sdk("node", node_client(), ("baseURL", "apiKey", "maxRetries"))
