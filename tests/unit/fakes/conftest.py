"""A running FakeOpenRouter, a client for it, and a helper that sends a prompt."""

from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.timeouts import HANG_SECONDS

AUTHORIZATION = {"Authorization": "Bearer sk-or-v1-0123456789abcdef"}


class Ask(Protocol):
    """Put a prompt to a cheap model, or to another one; any further field goes into the body."""

    def __call__(self, prompt: str, **more: Any) -> httpx.Response: ...


@pytest.fixture
def openrouter() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture
def client(openrouter: FakeOpenRouter) -> Iterator[httpx.Client]:
    # A trust store takes a tenth of a second to load, and loopback needs none.
    with httpx.Client(base_url=openrouter.url, headers=AUTHORIZATION, timeout=HANG_SECONDS, verify=False) as running:
        yield running


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    def put(prompt: str, **more: Any) -> httpx.Response:
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "meadow/lark-mini", "messages": messages, "max_completion_tokens": 400, **more}
        return client.post("/chat/completions", json=body)

    return put
