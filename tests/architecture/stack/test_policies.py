"""Function policies consist of inline statements without wildcards."""

import re
from collections.abc import Iterator

from tests.architecture.project import Function, Json

ONE_ACTION = re.compile(r"[a-z0-9]+:[A-Za-z]+")
RESOURCE_OR_PREFIX = re.compile(r"[^*]+|[^*]+/[^*/]+/\*")


def test_function_policies_are_written_out_in_the_template(function: Function) -> None:
    assert "Role" not in function.properties, "an external role cannot be checked"
    for policy in function.properties.get("Policies", []):
        assert list(policy) == ["Statement"], f"not a plain statement: {policy}"


def test_policy_actions_do_not_have_wildcards(function: Function) -> None:
    for statement in statements(function):
        for action in listed(statement["Action"]):
            assert ONE_ACTION.fullmatch(action), action


def test_policy_resources_do_not_have_wildcards(function: Function) -> None:
    for statement in statements(function):
        for resource in listed(statement["Resource"]):
            for text in strings(resource):
                assert RESOURCE_OR_PREFIX.fullmatch(text), text


def test_policy_statements_only_allow_named_actions_and_resources(function: Function) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()


def statements(function: Function) -> Iterator[Json]:
    """Every policy statement of a function."""
    for policy in function.properties.get("Policies", []):
        yield from listed(policy["Statement"])


def listed(value: Json) -> list[Json]:
    """Return the value as a list, because IAM allows a single item without brackets."""
    return value if isinstance(value, list) else [value]


def strings(value: Json) -> Iterator[str]:
    """Every string inside an intrinsic function."""
    if isinstance(value, str):
        yield value
    else:
        parts = value.values() if isinstance(value, dict) else value
        for part in parts:
            yield from strings(part)
