"""A response of the wrong shape or size is returned as an error."""

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


@pytest.mark.parametrize(("quotes", "status"), [(1_500_000, 200), (1_600_000, 413)])
def test_responses_over_the_limit_of_lambda_are_rejected(quotes: int, status: int) -> None:
    app = api()

    @app.get("/large")
    def large() -> dict[str, str]:
        return {"text": '"' * quotes}

    answer = handler_of(app, HttpSettings())(_event("/large"), None)
    assert answer["statusCode"] == status
    if status == 413:
        assert json.loads(answer["body"])["error"]["details"]["limit"] == "response_bytes"


def _event(path: str) -> dict[str, Any]:
    return {
        "path": path,
        "resource": path,
        "httpMethod": "GET",
        "headers": {},
        "requestContext": {"resourcePath": path},
    }
