"""Template parameters have defaults, and enable the conditions and resources in their descriptions."""

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from tests.architecture.project import Json, template
from tests.architecture.stack.allowed import EXECUTING
from tests.architecture.stack.roles import cloud, of_type

LOGGABLE = {
    "$context.authorizer.principalId",
    "$context.authorizer.status",
    "$context.error.responseType",
    "$context.httpMethod",
    "$context.integration.status",
    "$context.requestId",
    "$context.requestTime",
    "$context.resourcePath",
    "$context.responseLatency",
    "$context.responseLength",
    "$context.status",
}
"""Variables without path, query, headers, body, IP address or error text, which can contain keys or user data."""

DEFAULTS = {"EncryptsOperations", "KeepsRetiredIndexes", "ProtectsTables"}
"""The conditions that hold with the default parameters."""

(STAGE,) = of_type("AWS::ApiGateway::Stage").values()


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[Any]:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_aws():
        client = botocore.session.get_session().create_client("cloudformation", region_name="us-east-1", **keys)
        yield client
        client.close()


def holds(cloudformation: Any, parameters: dict[str, str]) -> set[str]:
    """The conditions that are true with these parameters, evaluated by moto's CloudFormation."""
    sections = {name: template()[name] for name in ("Parameters", "Conditions")}
    outputs = {name: {"Value": {"Fn::If": [name, "yes", "no"]}} for name in template()["Conditions"]}
    body = {**sections, "Resources": {"Any": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    chosen = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.create_stack(StackName="choices", TemplateBody=json.dumps(body), Parameters=chosen)
    (stack,) = cloudformation.describe_stacks(StackName="choices")["Stacks"]
    cloudformation.delete_stack(StackName="choices")
    return {output["OutputKey"] for output in stack["Outputs"] if output["OutputValue"] == "yes"}


@pytest.mark.parametrize(
    ("parameters", "conditions"),
    [
        ({}, DEFAULTS),
        ({"ApiLogs": "account-role"}, DEFAULTS | {"LogsRequests"}),
        ({"ApiLogs": "new-role"}, DEFAULTS | {"LogsRequests", "MakesLogRole"}),
        ({"ExecuteConcurrency": "5"}, DEFAULTS | {"ReservesExecute"}),
        ({"AlarmEmail": "operator@example.com"}, DEFAULTS | {"MailsAlarms"}),
        ({"RetiredIndexes": "delete"}, DEFAULTS - {"KeepsRetiredIndexes"}),
        ({"TableProtection": "off"}, DEFAULTS - {"ProtectsTables"}),
        ({"OperationsEncryption": "off"}, DEFAULTS - {"EncryptsOperations"}),
    ],
)
def test_parameter_changes_only_its_own_conditions(
    cloudformation: Any, parameters: dict[str, str], conditions: set[str]
) -> None:
    assert holds(cloudformation, parameters) == conditions


def test_optional_resources_have_their_conditions() -> None:
    assert {name: body["Condition"] for name, body in cloud().items() if "Condition" in body} == {
        "AlarmMail": "MailsAlarms",
        "ApiLogAccount": "MakesLogRole",
        "ApiLogGroup": "LogsRequests",
        "ApiLogRole": "MakesLogRole",
        "OperationsKey": "EncryptsOperations",
    }
    assert STAGE["AccessLogSetting"]["Fn::If"][0::2] == ["LogsRequests", {"Ref": "AWS::NoValue"}]
    reserved = {
        name: body["ReservedConcurrentExecutions"]
        for name, body in of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in body
    }
    assert reserved == {
        "ExecuteFunction": {"Fn::If": ["ReservesExecute", {"Ref": "ExecuteConcurrency"}, {"Ref": "AWS::NoValue"}]},
        **{
            function: {"Fn::If": ["ReservesStreams", {"Ref": "StreamConcurrency"}, {"Ref": "AWS::NoValue"}]}
            for function in ("StreamFunction", "OpenaiFunction")
        },
    }


STREAMS = {
    ("/api/execute/stream", "post"),
    ("/api/executions/{execution_id}/stream", "get"),
    ("/v1/chat/completions", "post"),
    ("/v1/responses", "post"),
    ("/v1/embeddings", "post"),
    ("/v1/models", "get"),
    ("/v1/models/{model}", "get"),
    ("/v1/models/{model}/{slug}", "get"),
}
"""The methods whose responses are streamed."""


def integrations() -> dict[tuple[str, str], Json]:
    """The integration of each method of the API."""
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    return {
        (path, method): operation["x-amazon-apigateway-integration"]
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
    }


def test_functions_that_execute_have_their_own_time_limits_and_memory() -> None:
    limits = {
        method: integration["timeoutInMillis"]
        for method, integration in integrations().items()
        if "timeoutInMillis" in integration
    }
    assert limits == {("/api/execute", "post"): {"Ref": "TimeoutInMillis"}, **dict.fromkeys(STREAMS, 900_000)}
    for function in EXECUTING:
        assert of_type("AWS::Lambda::Function")[function]["MemorySize"] == {"Ref": "ExecuteMemory"}


def test_streams_are_invoked_as_streams() -> None:
    for method, integration in integrations().items():
        assert (integration.get("responseTransferMode") == "STREAM") == (method in STREAMS)
        assert ("/response-streaming-invocations" in str(integration["uri"])) == (method in STREAMS)


def test_streaming_function_ends_before_the_gateway_ends_its_stream() -> None:
    for function in ("StreamFunction", "OpenaiFunction"):
        assert 890 == of_type("AWS::Lambda::Function")[function]["Timeout"] < 900


def test_gateway_waits_no_longer_than_execute_runs() -> None:
    function = of_type("AWS::Lambda::Function")["ExecuteFunction"]
    assert template()["Parameters"]["TimeoutInMillis"]["MaxValue"] <= function["Timeout"] * 1000


def test_layers_have_names_of_this_stack() -> None:
    names = [layer["LayerName"]["Fn::Sub"] for layer in of_type("AWS::Lambda::LayerVersion").values()]
    assert sorted(names) == ["${AWS::StackName}-core", "${AWS::StackName}-deps"]


def test_execution_rate_is_one_that_a_single_row_can_serve() -> None:
    assert template()["Parameters"]["ExecutePerMinute"]["MaxValue"] == 10_000


def test_parameters_have_a_description_and_a_default() -> None:
    incomplete = [name for name, body in template()["Parameters"].items() if {"Default", "Description"} - body.keys()]
    assert incomplete == []


def test_access_log_is_json_without_secrets() -> None:
    _, setting, _ = STAGE["AccessLogSetting"]["Fn::If"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    fields: dict[str, str] = json.loads(setting["Format"])
    assert set(fields.values()) == LOGGABLE
    assert set(re.findall(r"\$[\w.]+", setting["Format"])) == LOGGABLE


def test_stage_is_throttled_and_does_not_log_request_data() -> None:
    (every,) = STAGE["MethodSettings"]
    assert (every["HttpMethod"], every["ResourcePath"]) == ("*", "/*")
    assert every["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert every["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    assert every["DataTraceEnabled"] is False
    assert not STAGE.get("TracingEnabled")
    assert "LoggingLevel" not in every, "the execution logs of the gateway contain headers"
