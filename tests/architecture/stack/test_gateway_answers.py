"""Gateway responses have the shape of our errors, repeat no input, and do not suggest paying twice."""

import json
import re

import pytest

from instant.domain.errors import every_error
from tests.architecture.project import Json, resources

(API,) = resources("AWS::Serverless::Api").values()
ANSWERS: dict[str, Json] = API["Properties"]["GatewayResponses"]
CODES = {kind.code for kind in every_error()}


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_has_the_shape_of_an_api_error(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    error = json.loads(text)["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert error["code"] in CODES


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_does_not_repeat_the_request(kind: str) -> None:
    """The gateway's own messages quote the Authorization header where a route is unknown."""
    assert "$context" not in str(ANSWERS[kind])


def test_gateway_5xx_is_not_retryable_and_points_to_executions() -> None:
    for kind in ("DEFAULT_5XX", "INTEGRATION_TIMEOUT"):
        (text,) = ANSWERS[kind]["ResponseTemplates"].values()
        error = json.loads(text)["error"]
        assert error["retryable"] is False
        assert "GET /api/executions" in error["message"]


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_has_retry_after_only_if_retryable(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    wait = ANSWERS[kind].get("ResponseParameters", {}).get("Headers", {}).get("Retry-After")
    assert (wait is not None) == json.loads(text)["error"]["retryable"]
    assert wait is None or re.fullmatch("'[1-9][0-9]*'", wait), "the gateway takes a constant in single quotes"
