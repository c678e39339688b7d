"""The deployed roles grant each function what `allowed.py` lists, under its conditions, and nothing else."""

from itertools import product

import pytest

from tests.architecture.project import Function, Json, functions
from tests.architecture.stack.allowed import ALLOWED, CONDITIONS, MAY_DECRYPT, MAY_ENCRYPT, ONE_USERS_KEY
from tests.architecture.stack.roles import grants, listed, of_type, short_name, statements

ROLES = of_type("AWS::IAM::Role")
GATEWAY_LOGS = ROLES.pop("ApiLogRole")
LOGS_ONLY = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
"""AWS's own, which SAM gives to every function: it may write logs, to any group; there is no narrower one."""


def role(function: Function) -> Json:
    return ROLES[f"{function.logical_id}Role"]


def test_roles_belong_to_functions() -> None:
    assert set(ROLES) == {f"{function.logical_id}Role" for function in functions()}
    assert set(ALLOWED) == {function.logical_id for function in functions()}


def test_function_role_allows_exactly_what_is_listed(function: Function) -> None:
    wanted = {action: set(places.split()) for action, places in ALLOWED[function.logical_id].items()}
    assert grants(role(function)) == wanted


def test_function_role_statements_have_exactly_their_conditions(function: Function) -> None:
    for statement in statements(role(function)):
        for action, place in product(listed(statement["Action"]), map(short_name, listed(statement["Resource"]))):
            wanted = CONDITIONS.get((function.logical_id, action, place))
            assert statement.get("Condition") == wanted, (action, place)


def test_function_role_has_only_the_managed_policy_for_logs(function: Function) -> None:
    assert role(function)["ManagedPolicyArns"] == LOGS_ONLY


def test_function_role_is_assumed_only_by_lambda(function: Function) -> None:
    (trust,) = role(function)["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Effect"], trust["Action"], trust["Principal"]) == (
        "Allow",
        ["sts:AssumeRole"],
        {"Service": ["lambda.amazonaws.com"]},
    )


def test_gateway_role_allows_only_writing_logs() -> None:
    """The AWS managed policy names all log groups; an account has one such role for all its APIs."""
    (trust,) = GATEWAY_LOGS["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "Policies" not in GATEWAY_LOGS
    (managed,) = GATEWAY_LOGS["ManagedPolicyArns"]
    assert managed["Fn::Sub"].endswith(":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")


@pytest.mark.parametrize(("action", "who"), [("kms:Decrypt", MAY_DECRYPT), ("kms:Encrypt", MAY_ENCRYPT)])
def test_user_key_access_is_limited_and_encrypt_excludes_decrypt(action: str, who: set[str]) -> None:
    assert {name for name, allowed in ALLOWED.items() if action in allowed} == who
    assert MAY_DECRYPT.isdisjoint(MAY_ENCRYPT)


def test_kms_actions_require_the_user_in_the_encryption_context() -> None:
    reached = {
        (name, action, place)
        for name, allowed in ALLOWED.items()
        for action, places in allowed.items()
        for place in places.split()
        if action.startswith("kms:")
    }
    assert reached
    assert [way for way in reached if CONDITIONS.get(way) != ONE_USERS_KEY] == []
