"""Every event in events/ is passed to its function, in the order of a typical use."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope, handle_of
from instant.domain.clock import STREAM_LEASE_SECONDS, format_time
from tests.fakes.builders import an_opening
from tests.integration.app import ROOT, App, answer_of
from tests.integration.browser import allow
from tests.integration.ledgers import a_ledger

STORY = {
    "catalog_sync/on-demand": None,
    "catalog/list": 200,
    "catalog/read": 200,
    "model_changes/list": 200,
    "model_changes/history": 200,
    "catalog/estimate": 200,
    "catalog/sync": 202,
    "catalog/sync-runs": 200,
    "catalog/openapi": 200,
    "integrations/connect": 200,
    "integrations/complete": 201,
    "integrations/save": 201,
    "integrations/read": 200,
    "integrations/change": 200,
    "integration_test/test": 200,
    "resources/types": 200,
    "preview/draft": 200,
    "resources/create": 201,
    "catalog_sync/schedule": None,
    "model_impact/changed": None,
    "model_endpoints/show": 200,
    "preview/own": 200,
    "resources/read": 200,
    "resources/list": 200,
    "resources/list-affected": 200,
    "resources/list-public": 200,
    "resources/change": 200,
    "execute/execute": 200,
    "stream/execute": 200,
    "openai/chat": 200,
    "openai/chat-stream": 200,
    "openai/responses": 200,
    "openai/responses-stream": 200,
    "openai/models": 200,
    "openai/model": 200,
    "openai/model-by-address": 200,
    "rank_resources/schedule": None,
    "reconcile/schedule": None,
    "resources/list-most-used": 200,
    "executions/list": 200,
    "executions/read": 200,
    "executions/output": 200,
    "stream/resume": 200,
    "executions/content": 302,
    "executions/cancel": 202,
    "usage/by-model": 200,
    "usage/what-if": 200,
    "resources/create-painter": 201,
    "execute/paint": 200,
    "images/link": 200,
    "images/redirect": 302,
    "resources/create-embedder": 201,
    "openai/embeddings": 200,
    "resources/delete": 204,
    "integrations/delete": 204,
    "platform_integrations/save": 201,
    "platform_integrations/read": 200,
    "platform_integrations/change": 200,
    "integration_test/test_platform": 200,
    "platform_integrations/delete": 204,
    "api_keys/create": 201,
    "api_keys/list": 200,
    "budgets/set": 200,
    "budgets/set-for-key": 200,
    "budgets/list": 200,
    "budgets/read": 200,
    "api_keys/revoke": 204,
    "authorizer/request": None,
}
"""The status of the response to each event; None for functions without an HTTP response."""


def test_example_sequence_contains_every_event() -> None:
    files = {str(path.relative_to(ROOT / "events").with_suffix("")) for path in (ROOT / "events").rglob("*.json")}
    assert files == set(STORY)


def test_example_events_run_without_error(app: App) -> None:
    known: dict[str, str] = {}
    for case, status in STORY.items():
        event = event_of(case, known)
        give(app, case, event)
        answer = app.invoke(function_of(app, case), event)
        if status is not None:
            assert answer_of(answer).status == status, (case, answer)
            assert (header_of(answer, "Cache-Control") == "no-store") == ("authorizer" in event["requestContext"]), case
            learn(answer_of(answer).text, known)
        elif case == "authorizer/request":
            context = answer["context"]
            assert context.pop("namespace") == context["key_id"], "a key that cannot read has its own namespace"
            assert context.pop("key_id").startswith("key_")
            assert context == {"user_id": "user_alice", "scopes": "execute"}
        elif case == "model_impact/changed":
            assert answer == {"models": 0, "events": 0}, "nothing has changed yet"
        elif case == "reconcile/schedule":
            assert answer == {}, "nothing is open"
        elif case == "rank_resources/schedule":
            assert answer == {"seen": 1, "written": 0, "skipped": 0}
        else:
            assert answer["seen"] == len(app.fake.catalog)


@pytest.mark.parametrize("case", [case for case, status in STORY.items() if status])
def test_example_events_match_the_gateway_shape(case: str) -> None:
    event = event_of(case, {})
    path = event["resource"].format(**(event["pathParameters"] or {}))
    assert (event["path"], event["requestContext"]["resourcePath"]) == (path, event["resource"])
    assert event["headers"] == {name: values[0] for name, values in event["multiValueHeaders"].items()}


def header_of(answer: dict[str, Any] | bytes, header: str) -> str | None:
    """Return a header of the response."""
    return answer_of(answer).headers.get(header)


def event_of(case: str, known: dict[str, str]) -> dict[str, Any]:
    """Load an event and replace its placeholders with the ids in `known`."""
    text = Path(ROOT, "events", f"{case}.json").read_text()
    for placeholder, real in known.items():
        text = text.replace(placeholder, real)
    event: dict[str, Any] = json.loads(text)
    return event


def function_of(app: App, case: str) -> str:
    """Return the logical id of the function that receives the event."""
    module = f"functions.{case.split('/')[0]}.app.handler"
    return next(name for name, function in app.plan.functions.items() if function.handler == module)


def learn(text: str, known: dict[str, str]) -> None:
    """Add the ids in a response to `known`, by their placeholders in the events."""
    ids = json.loads(text) if text.startswith("{") else {}
    for kind, prefix in (("resource_id", "res"), ("execution_id", "exe"), ("key_id", "key")):
        if kind in ids:
            known[f"{prefix}_{'0' * 26}"] = ids[kind]
    if "address" in ids:
        known[handle_of("user_alice")] = ids["address"].partition("/")[0]
    if "authorize_url" in ids:
        known["auth_code_hidden"] = allow(ids["authorize_url"])[1]["code"]
        known[f"verifier_hidden_{'0' * 70}"] = ids["code_verifier"]
    output = ids.get("output")
    for url in output.get("urls", []) if isinstance(output, dict) else ():
        known[f"img_{'0' * 26}"] = url.rpartition("/")[2]


def give(app: App, case: str, event: dict[str, Any]) -> None:
    """Store what the event refers to, if no event before it does."""
    if case == "authorizer/request":
        give_key(app, event)
    if case == "executions/cancel":
        give_stream(app, event)


def give_stream(app: App, event: dict[str, Any]) -> None:
    """Store the running execution that the event cancels."""
    now = datetime.now(UTC)
    lease_end = format_time(now + timedelta(seconds=STREAM_LEASE_SECONDS))
    execution_id = event["pathParameters"]["execution_id"]
    a_ledger(app).open(an_opening(execution_id, streamed=True, created_at=format_time(now), lease_expires_at=lease_end))


def give_key(app: App, event: dict[str, Any]) -> None:
    """Create an API key and put it into the authorizer's event."""
    secret, key = mint(user_id="user_alice", name="e", scopes=frozenset({Scope.EXECUTE}), now=datetime.now(UTC))
    DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(key)
    event["headers"] = {"authorization": f"Bearer {secret.reveal()}"}
