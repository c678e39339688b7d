"""Fixtures: a running FakeOpenRouter, a client for it, and a helper that sends a prompt."""

from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.timeouts import HANG_SECONDS

AUTHORIZATION = {"Authorization": "Bearer sk-or-v1-0123456789abcdef"}


class Ask(Protocol):
    """Sends a prompt to a cheap model; `more` sets or overrides fields of the body."""

    def __call__(self, prompt: str, **more: Any) -> httpx.Response: ...


@pytest.fixture
def openrouter() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture
def client(openrouter: FakeOpenRouter) -> Iterator[httpx.Client]:
    # No TLS on 127.0.0.1, and loading the trust store takes 0.1 s.
    with httpx.Client(base_url=openrouter.url, headers=AUTHORIZATION, timeout=HANG_SECONDS, verify=False) as running:
        yield running


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    def put(prompt: str, **more: Any) -> httpx.Response:
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "meadow/lark-mini", "messages": messages, "max_completion_tokens": 400, **more}
        return client.post("/chat/completions", json=body)

    return put
