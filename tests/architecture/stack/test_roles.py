"""The generated roles grant each function exactly the permissions and conditions in `allowed.py`."""

from itertools import product

import pytest

from tests.architecture.project import Function, Json, functions
from tests.architecture.stack.allowed import ALLOWED, CONDITIONS, ENCRYPTION_CONTEXT_REQUIRED, MAY_DECRYPT, MAY_ENCRYPT
from tests.architecture.stack.roles import grants, listed, of_type, short_name, statements

ROLES = of_type("AWS::IAM::Role")
GATEWAY_LOGS = ROLES.pop("ApiLogRole")
LOGS_ONLY = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
"""The managed policy that SAM attaches to every function; it allows writing logs to any group."""


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
            assert statement.get("Condition") in listed(wanted), (action, place)


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
    """The AWS managed policy covers all log groups, because an account has one such role for all its APIs."""
    (trust,) = GATEWAY_LOGS["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "Policies" not in GATEWAY_LOGS
    (managed,) = GATEWAY_LOGS["ManagedPolicyArns"]
    assert managed["Fn::Sub"].endswith(":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")


@pytest.mark.parametrize(("action", "who"), [("kms:Decrypt", MAY_DECRYPT), ("kms:Encrypt", MAY_ENCRYPT)])
def test_only_listed_functions_encrypt_or_decrypt_and_none_does_both(action: str, who: set[str]) -> None:
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
    assert [grant for grant in reached if CONDITIONS.get(grant) != ENCRYPTION_CONTEXT_REQUIRED] == []
