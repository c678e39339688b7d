"""Hooks and checks for the command line of schemathesis, which sends the requests of alice."""

import json
import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import UnsupportedMethodResponse

from tests.fuzz.isolation import check_bob_learned_nothing, connect, read_again, send_as_bob
from tests.fuzz.refined_schemas import insert_existing_ids, refine_inputs, refine_settings


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Refine the document for one resource type, with the ids of existing resources."""
    insert_existing_ids(raw_schema, json.loads(os.environ["EXISTING_IDS"]))
    refine_inputs(raw_schema)
    if "EXAMPLES" in os.environ:  # only in the long run: each of the many settings makes a hundred cases
        refine_settings(raw_schema)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Send the request as bob first; give alice a valid OpenRouter key before each execution."""
    send_as_bob(case)
    openai = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
    if case.path in ("/api/execute", "/api/execute/stream", *openai):
        connect(case)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Accept 404 for an unknown method: API Gateway REST APIs cannot return 405."""
    return not (isinstance(failure, UnsupportedMethodResponse) and response.status_code == 404)


@schemathesis.check
def other_users_learn_nothing(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The responses to bob do not show whether a resource of alice exists."""
    check_bob_learned_nothing(case)


@schemathesis.check
def deleted_is_gone(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A read directly after each deletion returns 404; `use_after_free` checks only what the generated calls read."""
    if case.method == "DELETE" and response.status_code < 300:
        again = read_again(case)
        assert again is None or again.status_code == 404, f"still there: {again.status_code}"
