"""What API Gateway says by itself has our shape, repeats nothing, and never invites to pay twice."""

import json
import re

import pytest

from instant.domain.errors import every_error
from tests.architecture.project import Json, resources

(API,) = resources("AWS::Serverless::Api").values()
ANSWERS: dict[str, Json] = API["Properties"]["GatewayResponses"]
CODES = {kind.code for kind in every_error()}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_of_the_gateway_is_one_of_our_errors(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    error = json.loads(text)["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert error["code"] in CODES


@pytest.mark.parametrize("kind", ANSWERS)
def test_it_repeats_nothing_of_the_request(kind: str) -> None:
    """The gateway's own messages quote the Authorization header where a route is unknown."""
    assert "$context" not in str(ANSWERS[kind])


def test_a_failure_may_have_been_paid() -> None:
    for kind in ("DEFAULT_5XX", "INTEGRATION_TIMEOUT"):
        (text,) = ANSWERS[kind]["ResponseTemplates"].values()
        error = json.loads(text)["error"]
        assert error["retryable"] is False
        assert "GET /api/executions" in error["message"]


@pytest.mark.parametrize("kind", ANSWERS)
def test_whoever_may_repeat_a_call_is_told_when(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    wait = ANSWERS[kind].get("ResponseParameters", {}).get("Headers", {}).get("Retry-After")
    assert (wait is not None) == json.loads(text)["error"]["retryable"]
    assert wait is None or re.fullmatch("'[1-9][0-9]*'", wait), "the gateway takes a constant in single quotes"
