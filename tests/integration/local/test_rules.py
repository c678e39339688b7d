"""The rules of the local stack without processes: policies, routes, gateway responses, authorizers, templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.api.authorizer import Authorizer, Refused
from tests.local.api.proxy import Exchange
from tests.local.api.responses import GatewayResponses
from tests.local.api.routes import Routes
from tests.local.api.server import Request
from tests.local.aws.actions import Call, Need
from tests.local.aws.deployment import Deployment
from tests.local.aws.permissions import Permissions
from tests.local.functions.invocation import Outcome
from tests.local.plan import AuthorizerPlan, Route, plan
from tests.local.template import merged, read


def allows(statements: list[Any], action: str, resource: str, **context: str) -> bool:
    need = Need(action, resource, {key.replace("__", ":"): value for key, value in context.items()})
    return Permissions({"F": statements}).denial("F", Call("s", "o", (need,))) is None


def statement(action: Any = "s3:Get*", resource: Any = "arn:x/*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def test_policy_wildcards_and_lists_match_as_in_iam() -> None:
    assert allows([statement()], "s3:GetObject", "arn:x/a/b")
    assert allows([statement(["s3:PutObject", "S3:GETOBJECT"], ["arn:y", "arn:x/?"])], "s3:GetObject", "arn:x/a")
    assert not allows([statement()], "s3:PutObject", "arn:x/a")
    assert not allows([statement(resource="arn:x/[ab]")], "s3:GetObject", "arn:x/a")
    assert not allows([statement()], "s3:GetObject", "arn:x")


def test_policy_deny_overrides_allow() -> None:
    deny = statement(resource="arn:x/secret", effect="Deny")
    assert allows([statement(), deny], "s3:GetObject", "arn:x/open")
    assert not allows([statement(), deny], "s3:GetObject", "arn:x/secret")


@pytest.mark.parametrize(
    ("condition", "with_it", "without_it"),
    [
        ({"StringEquals": {"events:source": ["a", "b"]}}, True, False),
        ({"StringEquals": {"events:source": "c"}}, False, False),
        ({"StringNotEquals": {"events:source": "b"}}, False, True),
        ({"StringLike": {"events:source": "?*"}}, True, False),
        ({"StringNotLike": {"events:source": "b*"}}, False, True),
        ({"StringEqualsIfExists": {"events:source": "b"}}, True, True),
        ({"ForAllValues:StringEquals": {"events:source": ["a", "b"]}}, True, True),
        ({"ForAllValues:StringEquals": {"events:source": ["a", "c"]}}, False, True),
        ({"Null": {"events:source": "false"}}, True, False),
        ({"Null": {"events:source": True}}, False, True),
        ({"Null": {"events:source": "false"}, "StringLike": {"events:detail-type": "x"}}, False, False),
    ],
)
def test_policy_condition_requires_a_matching_value(condition: Any, with_it: bool, without_it: bool) -> None:
    conditional = [statement(Condition=condition)]
    assert allows(conditional, "s3:GetObject", "arn:x/a", events__source="b") is with_it
    assert allows(conditional, "s3:GetObject", "arn:x/a") is without_it


def test_for_all_values_condition_accepts_subsets_and_the_empty_set() -> None:
    wanted = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["app", "user_id"]}}
    judge = Permissions({"F": [statement("kms:Decrypt", "arn:k", Condition=wanted)]})

    def opens(*names: str) -> bool:
        need = Need("kms:Decrypt", "arn:k", {"kms:EncryptionContextKeys": list(names)} if names else {})
        return judge.denial("F", Call("kms", "Decrypt", (need,))) is None

    assert opens("app", "user_id")
    assert opens("app")
    assert opens()
    assert not opens("app", "user_id", "purpose")


@pytest.mark.parametrize(
    "more",
    [
        {"NotAction": "x"},
        {"Condition": {"Bool": {"events:source": "x"}}},
        {"Condition": {"Null": {"aws:x": 1}}},
        {"Condition": {"StringEquals": {"kms:EncryptionContextKeys": "app"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "app"}}},
    ],
)
def test_permissions_reject_unsupported_statements(more: Any) -> None:
    with pytest.raises(ValueError, match="F: the local stack does not support"):
        Permissions({"F": [statement(**more)]})


def test_routes_match_greedy_paths_last() -> None:
    routes = Routes([Route("GET", path, path, None) for path in ("/{rest+}", "/a/{b}", "/a/{b}/c", "/a/x")])

    def found(path: str) -> tuple[str, dict[str, str]] | None:
        match = routes.find("GET", path)
        return (match.route.path, match.parameters) if match else None

    assert found("/a/x") == ("/a/x", {})
    assert found("/a/y") == ("/a/{b}", {"b": "y"})
    assert found("/a/y/c") == ("/a/{b}/c", {"b": "y"})
    assert found("/a/y/z%2F") == ("/{rest+}", {"rest": "a/y/z%2F"})
    assert routes.find("POST", "/a/x") is None


def test_gateway_responses_fall_back_to_their_class_and_aws_defaults() -> None:
    answers = GatewayResponses(
        {"DEFAULT_4XX": {"ResponseTemplates": {"application/json": '{"m":$context.error.messageString}'}}}
    )
    refused = answers.answer("UNAUTHORIZED", 'say "who"', "r1")
    assert (refused.status, json.loads(refused.body)) == (401, {"m": 'say "who"'})
    assert json.loads(answers.answer("INTEGRATION_TIMEOUT", "late", "r1").body) == {"message": "late"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def exchange(token: str, path: str = "/a") -> Exchange:
    match = Routes([Route("GET", path, "F", "A")]).find("GET", path)
    assert match
    return Exchange(Request("GET", f"/s{path}", [("AUTHORIZATION", token)], b""), "s", path, match)


def test_authorizer_cache_keeps_policies_until_ttl_but_not_errors() -> None:
    calls: list[str] = []
    clock = Clock()

    def invoke(name: str, event: bytes) -> Outcome:
        calls.append(json.loads(event)["methodArn"])
        if len(calls) == 1:
            return Outcome(b'{"errorMessage": "boom"}', failed=True)
        allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": calls[-1]}
        return Outcome(json.dumps({"principalId": "p", "policyDocument": {"Statement": allow}}).encode())

    authorizer = Authorizer(AuthorizerPlan("F", ("Authorization",), 60), invoke, clock)
    with pytest.raises(Refused, match="AUTHORIZER_CONFIGURATION_ERROR"):
        authorizer.context(exchange("t"))
    for clock.now in (0.0, 59.9):
        assert authorizer.context(exchange("t"))["principalId"] == "p"
    with pytest.raises(Refused, match="ACCESS_DENIED"):  # the cached policy allows one path only
        authorizer.context(exchange("t", "/b"))
    clock.now = 60.0
    authorizer.context(exchange("t", "/b"))
    assert [arn.rpartition(":")[2] for arn in calls] == ["local/s/GET/a", "local/s/GET/a", "local/s/GET/b"]


def test_route_has_the_time_limit_of_its_integration() -> None:
    events = {
        name: {"Type": "Api", "Properties": {"Method": "GET", "Path": f"/{name}", **more}}
        for name, more in {"a": {}, "b": {"TimeoutInMillis": "90000"}}.items()
    }
    deployment = Deployment({"F": {"Handler": "h", "Events": events}}, {"Api": {}})
    assert [(route.path, route.seconds) for route in plan(deployment).routes] == [("/a", 29.0), ("/b", 90.0)]


def test_template_globals_are_merged_as_in_sam() -> None:
    assert merged({"a": 1, "m": {"x": 1, "y": 1}, "l": [1]}, {"a": 2, "m": {"y": 2}, "l": [2]}) == {
        "a": 2,
        "m": {"x": 1, "y": 2},
        "l": [1, 2],
    }


def test_template_references_to_code_become_names(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("""
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {A: !Ref F, B: !GetAtt F.Arn, C: !Sub "${F}-${T}-${F.Arn}", D: !Ref T}
  T: {Type: AWS::DynamoDB::Table}
""")
    properties = read(tmp_path / "t.yaml")["Resources"]["F"]["Properties"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:F"
    assert properties == {"A": "F", "B": arn, "C": {"Fn::Sub": "F-${T}-" + arn}, "D": {"Ref": "T"}}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Policies": ["AmazonS3ReadOnlyAccess"]}, "plain Statement policies only"),
        ({"Events": {"E": {"Type": "SQS"}}}, "no events of type SQS"),
        ({"EventInvokeConfig": {"DestinationConfig": {"OnSuccess": {"Type": "SQS"}}}}, "only queues as destinations"),
        ({"EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Type": "SNS"}}}}, "only queues as destinations"),
    ],
)
def test_template_rejects_unsupported_properties(properties: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(Deployment({"F": {"Handler": "h", **properties}}, {}))
