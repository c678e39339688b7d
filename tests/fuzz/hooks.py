"""What the command line of schemathesis loads beside its own checks; it speaks as alice."""

import json
import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import UnsupportedMethodResponse

from tests.fuzz.sharpened import name_real_things, sharpen_inputs, sharpen_settings
from tests.fuzz.strangers import connect, let_bob_try, look_again, refuse_what_bob_learned


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Read the document as one for resources of one type, some of which exist."""
    name_real_things(raw_schema, json.loads(os.environ["REAL_THINGS"]))
    sharpen_inputs(raw_schema)
    if "EXAMPLES" in os.environ:  # the long run: settings have many fields, and each makes a hundred cases
        sharpen_settings(raw_schema)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Bob goes first, and whenever alice executes something, she has a key that works."""
    let_bob_try(case)
    if case.path == "/api/execute":
        connect(case)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """A REST API answers an unknown method like an unknown path and cannot be taught 405: 404 will do."""
    return not (isinstance(failure, UnsupportedMethodResponse) and response.status_code == 404)


@schemathesis.check
def strangers_see_nothing(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Bob learns nothing about what is alice's."""
    refuse_what_bob_learned(case)


@schemathesis.check
def deleted_is_gone(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """At once, and not only when a generated history happens to look: `use_after_free` waits for one."""
    if case.method == "DELETE" and response.status_code < 300:
        again = look_again(case)
        assert again is None or again.status_code == 404, f"still there: {again.status_code}"
