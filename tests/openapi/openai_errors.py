"""The error responses of /v1 in the OpenAPI document: its statuses and codes differ from those of the native routes."""

import json
from http import HTTPStatus

from instant.domain.error_bodies.classes import every_error
from instant.domain.errors import InstantError, TooLarge
from instant.entrypoints.openai.errors import MAY_HAVE_COST, openai_response
from tests.architecture.project import Json

OTHERS = {"address_taken", "revision_conflict", "limit_reached", "not_cancellable"}
"""The errors of routes that have no counterpart on /v1."""


def openai_errors() -> list[InstantError]:
    """An error of each kind that /v1 can return."""
    listed = [kind("") for kind in every_error() if kind.code not in OTHERS]
    return [*listed, TooLarge("", details={"limit": "context_length"})]


def openai_codes() -> dict[int, dict[str, str]]:
    """The codes with their meanings, by status; each error that may have been charged is also a 409."""
    found: dict[int, dict[str, str]] = {}
    for error in openai_errors():
        shown = openai_response(error)
        code = json.loads(shown.body or "")["error"]["code"]
        for status in {shown.status_code, MAY_HAVE_COST} if shown.status_code >= 500 else {shown.status_code}:
            found.setdefault(status, {}).setdefault(code, error.__doc__ or "")
    return found


def openai_error_response(status: int) -> Json:
    """The response with this status, for `components`."""
    listed = "\n".join(f"- `{code}`: {text}" for code, text in sorted(openai_codes()[status].items()))
    return {
        "description": f"{HTTPStatus(status).phrase}.\n\n{listed}",
        "headers": {
            "x-should-retry": {
                "description": "Whether a repeat can succeed within a minute and costs nothing twice.",
                "schema": {"type": "string", "enum": ["true", "false"]},
            }
        },
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OpenaiError"}}},
    }


def openai_error_schema(schema: Json) -> Json:
    """The schema of every error, with the codes of /v1."""
    error: Json = schema["properties"]["error"]
    codes = sorted({code for codes in openai_codes().values() for code in codes})
    fields = {**error["properties"], "code": {"type": "string", "enum": codes}}
    return {
        **schema,
        "description": "Every failure on /v1.",
        "properties": {"error": {**error, "properties": fields}},
    }
