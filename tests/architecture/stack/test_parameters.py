"""What an operator may choose: each choice has a default that deploys into a fresh account, and does what it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from tests.architecture.project import template
from tests.architecture.stack.roles import cloud, of_type

HARMLESS = {
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
"""No path, query, header, body, address or error text: any of these can hold a key or somebody's words."""

(STAGE,) = of_type("AWS::ApiGateway::Stage").values()


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[Any]:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_aws():
        client = botocore.session.get_session().create_client("cloudformation", region_name="us-east-1", **keys)
        yield client
        client.close()


def holds(cloudformation: Any, parameters: dict[str, str]) -> set[str]:
    """The conditions that hold with these parameters, as CloudFormation finds them."""
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
        ({}, set()),
        ({"ApiLogs": "account-role"}, {"LogsRequests"}),
        ({"ApiLogs": "new-role"}, {"LogsRequests", "MakesLogRole"}),
        ({"ExecuteConcurrency": "5"}, {"ReservesExecute"}),
        ({"AlarmEmail": "operator@example.com"}, {"MailsAlarms"}),
    ],
)
def test_a_choice_switches_on_what_it_names_and_nothing_else(
    cloudformation: Any, parameters: dict[str, str], conditions: set[str]
) -> None:
    assert holds(cloudformation, parameters) == conditions


def test_what_is_made_only_if_it_is_chosen() -> None:
    assert {name: body["Condition"] for name, body in cloud().items() if "Condition" in body} == {
        "AlarmMail": "MailsAlarms",
        "ApiLogAccount": "MakesLogRole",
        "ApiLogGroup": "LogsRequests",
        "ApiLogRole": "MakesLogRole",
    }
    assert STAGE["AccessLogSetting"]["Fn::If"][0::2] == ["LogsRequests", {"Ref": "AWS::NoValue"}]
    reserved = {
        name: body["ReservedConcurrentExecutions"]
        for name, body in of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in body
    }
    choice = ["ReservesExecute", {"Ref": "ExecuteConcurrency"}, {"Ref": "AWS::NoValue"}]
    assert reserved == {"ExecuteFunction": {"Fn::If": choice}}


def test_every_parameter_says_what_it_is_and_has_a_default() -> None:
    silent = [name for name, body in template()["Parameters"].items() if {"Default", "Description"} - body.keys()]
    assert silent == []


def test_an_access_log_is_json_and_tells_nothing_secret() -> None:
    _, setting, _ = STAGE["AccessLogSetting"]["Fn::If"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    fields: dict[str, str] = json.loads(setting["Format"])
    assert set(fields.values()) == HARMLESS
    assert set(re.findall(r"\$[\w.]+", setting["Format"])) == HARMLESS


def test_the_stage_is_throttled_and_traces_nothing() -> None:
    (every,) = STAGE["MethodSettings"]
    assert (every["HttpMethod"], every["ResourcePath"]) == ("*", "/*")
    assert every["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert every["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    assert every["DataTraceEnabled"] is False
    assert not STAGE.get("TracingEnabled")
    assert "LoggingLevel" not in every, "the gateway's own log quotes headers"
