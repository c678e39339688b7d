"""Builders of domain objects with default values; a test passes only the fields that it needs."""

from typing import Any

from instant.domain.access.integration import Integration
from instant.domain.catalog.model import CatalogModel
from instant.domain.exchange import Request
from instant.domain.executions.execution import Closing, KeySource, Opening, State, StoredAnswer
from instant.domain.executions.plan import Plan
from instant.domain.executions.prepared import Credential, Prepared, ServingModel
from instant.domain.executions.receipt import Receipt
from instant.domain.resources.resource import Resource, Visibility

NOON = "2026-11-22T12:00:00.000000Z"


def a_model(openrouter_id: str = "meadow/lark-mini", **more: Any) -> CatalogModel:
    """A cheap text model that supports a temperature and a token limit."""
    facts: dict[str, Any] = {
        "openrouter_id": openrouter_id,
        "canonical_slug": openrouter_id,
        "display_name": "Lark Mini",
        "provider": openrouter_id.split("/")[0],
        "context_length": 65_536,
        "max_tokens": 8_192,
        "input_modalities": ("text",),
        "output_modalities": ("text",),
        "supported_parameters": ("max_tokens", "temperature", "top_p"),
        "pricing": {"prompt": "0.00000004", "completion": "0.00000016"},
    }
    return CatalogModel(**(facts | more))


def a_resource(resource_id: str = "res_1", **more: Any) -> Resource:
    """Alice's private resource on the cheap model."""
    facts: dict[str, Any] = {
        "resource_id": resource_id,
        "owner_id": "user_alice",
        "resource_type": "openrouter_instant",
        "name": "Haiku",
        "slug": "haiku",
        "visibility": Visibility.PRIVATE,
        "ai_model_id": "meadow/lark-mini",
        "created_at": NOON,
        "updated_at": NOON,
        "config": {"model": "meadow/lark-mini", "temperature": 0.7},
    }
    return Resource(**(facts | more))


def an_integration(user_id: str = "user_alice", **more: Any) -> Integration:
    """An enabled integration with a valid key."""
    facts: dict[str, Any] = {
        "user_id": user_id,
        "service": "openrouter",
        "ciphertext": b"sealed",
        "hint": "cdef",
        "key_sha256": "a" * 64,
        "created_at": NOON,
    }
    return Integration(**(facts | more))


def an_opening(execution_id: str = "exe_1", **more: Any) -> Opening:
    """The opening of an execution in which Alice uses her own resource and key."""
    facts: dict[str, Any] = {
        "execution_id": execution_id,
        "run_id": f"run_of_{execution_id}",
        "user_id": "user_alice",
        "service": "openrouter",
        "credential_owner_id": "user_alice",
        "key_source": KeySource.CALLER,
        "resource_id": "res_1",
        "resource_revision": 1,
        "model": "meadow/lark-mini",
        "reserved_nanousd": 700_000,
        "created_at": NOON,
        "lease_expires_at": "2026-11-22T12:02:00.000000Z",
    }
    return Opening(**(facts | more))


def a_prepared(execution_id: str = "exe_1", **more: Any) -> Prepared:
    """A prepared execution of Alice's resource with her own key; the worst case is 700,000 nano-USD."""
    request = Request(method="POST", integration="openrouter", path="/chat/completions", body=b"{}")
    facts: dict[str, Any] = {
        "execution_id": execution_id,
        "user_id": "user_alice",
        "api_key_id": None,
        "fingerprint": None,
        "resource_id": "res_1",
        "resource_revision": 1,
        "resource_type": "openrouter_instant",
        "by_owner": False,
        "models": (ServingModel(openrouter_id="meadow/lark-mini", canonical_slug="meadow/lark-mini", pricing={}),),
        "credential": Credential(
            integration="openrouter", user_id="user_alice", source=KeySource.CALLER, ciphertext_sha256="0" * 64
        ),
        "budgets": (),
        "plan": Plan(request=request, worst_nanousd=700_000),
    }
    return Prepared(**(facts | more))


def a_receipt(**more: Any) -> Receipt:
    """The receipt of a successful answer."""
    facts: dict[str, Any] = {
        "generation_id": "gen-1",
        "model": "meadow/lark-mini-2026",
        "provider": "Meadow",
        "finish_reason": "stop",
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "cost_nanousd": 5_920,
    }
    return Receipt(**(facts | more))


def a_closing(state: State = State.DONE, **more: Any) -> Closing:
    """The closing of an execution, half a second after noon."""
    facts: dict[str, Any] = {
        "state": state,
        "receipt": a_receipt(),
        "answer": StoredAnswer(text='{"success":true}'),
        "finished_at": "2026-11-22T12:00:00.500000Z",
        "latency_ms": 500,
        "error_code": None if state is State.DONE else "upstream_error",
    }
    return Closing(**(facts | more))
