"""A response of the wrong shape is returned as an internal error and logged without its content."""

import json
import logging
from typing import Any, TypedDict

import pytest

from instant.entrypoints.http.app import api, handler_of
from instant.settings import HttpSettings

CANARY = "x4k_live_canary"


class Shape(TypedDict):
    """The declared response of the route."""

    key_id: str
    scopes: list[str]


def test_wrong_answers_are_not_repeated_in_response_or_log(caplog: pytest.LogCaptureFixture) -> None:
    app = api()

    @app.get("/key")
    def key() -> Shape:
        return {"key_id": [CANARY], "scopes": {CANARY: CANARY}}  # type: ignore[typeddict-item]

    caplog.set_level(logging.DEBUG)
    answer = handler_of(app, HttpSettings())(_event("/key"), None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (500, "internal")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "key_id" in str(vars(record)["places"])
    assert CANARY not in f"{answer} {[vars(record) for record in caplog.records]} {caplog.text}"


def _event(path: str) -> dict[str, Any]:
    return {
        "path": path,
        "resource": path,
        "httpMethod": "GET",
        "headers": {},
        "requestContext": {"resourcePath": path},
    }
