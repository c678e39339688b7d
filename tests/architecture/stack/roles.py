"""The roles that SAM generates from the template, as short lists of permissions."""

import re
from collections.abc import Iterator
from functools import cache

from tests.architecture.project import Json
from tests.architecture.transform import transformed

type Grants = dict[str, set[str]]
"""Action -> what it may be done to: `ExecutionsTable`, `ExecutionsTable/index/by_user`, `EventBus`."""


@cache
def cloud() -> dict[str, Json]:
    """Every resource of the transformed template, by logical id; read-only."""
    resources: dict[str, Json] = transformed()["Resources"]
    return resources


def of_type(kind: str) -> dict[str, Json]:
    """The properties of the resources of one type, by logical id."""
    return {name: body["Properties"] for name, body in cloud().items() if body["Type"] == kind}


def if_encrypted(key: Json) -> Json:
    """The key under the condition that the operator wants logs and alarms encrypted, else none."""
    return {"Fn::If": ["EncryptsOperations", key, {"Ref": "AWS::NoValue"}]}


def statements(role: Json) -> Iterator[Json]:
    """Every statement of a role's inline policies."""
    for policy in role.get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])


def grants(role: Json) -> Grants:
    """The permissions of a role's inline policies, without conditions."""
    found: Grants = {}
    for statement in statements(role):
        for action in listed(statement["Action"]):
            found.setdefault(action, set()).update(short_name(place) for place in listed(statement["Resource"]))
    return found


def listed(value: Json) -> list[Json]:
    """Return the value as a list, because IAM allows a single item without brackets."""
    return value if isinstance(value, list) else [value]


def short_name(resource: Json) -> str:
    """A resource as a short name; an unknown form is returned unchanged."""
    match resource:
        case {"Ref": name} | {"Fn::GetAtt": [name, "Arn"]}:
            return str(name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"^\$\{(\w+)\.Arn\}", r"\1", text).rpartition(":")[2]
    return str(resource)
