"""Gateway responses have the shape of API errors, repeat no input, and do not suggest a retry that costs twice."""

import json
import re

import pytest

from instant.domain.error_bodies.classes import every_error
from instant.domain.error_bodies.fields import error_type
from tests.architecture.project import Json, resources

(API,) = resources("AWS::Serverless::Api").values()
ANSWERS: dict[str, Json] = API["Properties"]["GatewayResponses"]
KINDS = {kind.code: kind for kind in every_error()}


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_has_the_shape_of_an_api_error(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    error = json.loads(text)["error"]
    assert set(error) == {"code", "message", "type", "param", "retryable"}
    assert error["type"] == error_type(error["code"], KINDS[error["code"]].status)
    assert error["param"] is None


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_does_not_repeat_the_request(kind: str) -> None:
    """For an unknown route, the default message of the gateway contains the Authorization header."""
    assert "$context" not in str(ANSWERS[kind])


def test_gateway_has_a_text_for_each_refusal_that_occurs() -> None:
    """With their default texts, these would quote the token, name no way out, or be no error of ours."""
    wanted = {"INVALID_SIGNATURE", "WAF_FILTERED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"}
    assert wanted <= ANSWERS.keys()


def test_failed_authorizer_is_retryable_whatever_aws_calls_it() -> None:
    """An authorizer that raised, or was not reached, is AUTHORIZER_CONFIGURATION_ERROR."""
    assert ANSWERS["AUTHORIZER_CONFIGURATION_ERROR"] == ANSWERS["AUTHORIZER_FAILURE"]
    assert ANSWERS["AUTHORIZER_FAILURE"]["StatusCode"] == 503


def test_unknown_route_with_a_token_is_the_same_as_without() -> None:
    assert ANSWERS["INVALID_SIGNATURE"] == ANSWERS["MISSING_AUTHENTICATION_TOKEN"]
    assert ANSWERS["INVALID_SIGNATURE"]["StatusCode"] == 404


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_has_security_headers_and_allows_every_origin_if_some_are_listed(kind: str) -> None:
    headers = ANSWERS[kind]["ResponseParameters"]["Headers"]
    assert headers["X-Content-Type-Options"] == "'nosniff'"
    assert headers["Strict-Transport-Security"] == "'max-age=63072000'"
    assert headers["Access-Control-Allow-Origin"] == {"Fn::If": ["AllowsOrigins", "'*'", {"Ref": "AWS::NoValue"}]}


def test_api_is_deployed_with_every_update() -> None:
    """SAM deploys the API when its text changes; a parameter in a gateway response or time limit does not change it."""
    assert API["Properties"]["AlwaysDeploy"] is True


def test_links_to_the_bucket_can_be_read_by_web_pages_if_some_are_listed() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    rules = {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    assert bucket["Properties"]["CorsConfiguration"] == {"Fn::If": ["AllowsOrigins", rules, {"Ref": "AWS::NoValue"}]}


def test_gateway_response_to_a_missing_token_has_a_challenge() -> None:
    assert ANSWERS["UNAUTHORIZED"]["ResponseParameters"]["Headers"]["WWW-Authenticate"] == "'Bearer'"


def test_gateway_5xx_is_not_retryable_and_points_to_executions() -> None:
    for kind in ("DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"):
        assert ANSWERS[kind]["ResponseParameters"]["Headers"]["x-should-retry"] == "'false'", (
            "clients of OpenAI obey it"
        )
        (text,) = ANSWERS[kind]["ResponseTemplates"].values()
        error = json.loads(text)["error"]
        assert error["retryable"] is False
        assert "GET /api/executions" in error["message"]


@pytest.mark.parametrize("kind", ANSWERS)
def test_gateway_response_has_retry_after_only_if_retryable(kind: str) -> None:
    (text,) = ANSWERS[kind]["ResponseTemplates"].values()
    wait = ANSWERS[kind].get("ResponseParameters", {}).get("Headers", {}).get("Retry-After")
    assert (wait is not None) == json.loads(text)["error"]["retryable"]
    assert wait is None or re.fullmatch("'[1-9][0-9]*'", wait), "a constant of the gateway is in single quotes"
