"""Creates the template's tables, buckets, keys and queues in moto, and resolves all other resources."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.local.template import DATA_PLANE, Json, of_type

_FUNCTION = "AWS::Serverless::Function"
_API = "AWS::Serverless::Api"
_STACK = "local"
_ANSWER = "Resolved"


@dataclass(frozen=True)
class Deployment:
    """The functions and APIs of a deployed template, by logical id, with intrinsic functions resolved."""

    functions: dict[str, Json]
    apis: dict[str, Json]


def deploy(client: Any, template: Json, parameters: Mapping[str, str]) -> Deployment:
    """Create tables, buckets, keys and queues; parameters that the template does not declare are ignored.

    `client` is a CloudFormation client. One stack output contains the functions and APIs as JSON, so that
    moto resolves references, conditions, mappings and parameters in them.
    """
    declared = template.get("Parameters", {})
    client.create_stack(
        StackName=_STACK,
        TemplateBody=json.dumps(_reduced(template), default=str),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items() if name in declared
        ],
    )
    (stack,) = client.describe_stacks(StackName=_STACK)["Stacks"]
    resolved = json.loads(next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == _ANSWER))
    return Deployment(resolved.get("functions", {}), resolved.get("apis", {}))


def _reduced(template: Json) -> Json:
    sections = {name: template[name] for name in ("Parameters", "Mappings", "Conditions") if name in template}
    data = of_type(template, *DATA_PLANE)
    wanted = {"functions": _properties(template, _FUNCTION), "apis": _properties(template, _API)}
    return sections | {
        "Resources": {name: _with_whole_lists(_without_order(resource)) for name, resource in data.items()},
        "Outputs": {_ANSWER: {"Value": {"Fn::ToJsonString": wanted}}},
    }


def _properties(template: Json, kind: str) -> Json:
    """The properties of the resources of a type; a resource with a condition is wrapped in Fn::If."""
    return {
        name: {"Fn::If": [resource["Condition"], resource["Properties"], {"Ref": "AWS::NoValue"}]}
        if "Condition" in resource
        else resource["Properties"]
        for name, resource in of_type(template, kind).items()
    }


def _without_order(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if key != "DependsOn"}


def _with_whole_lists(value: Any) -> Any:
    """`value` with a choice between two lists in place of an optional item, of which moto would leave a null."""
    match value:
        case dict():
            return {key: _with_whole_lists(item) for key, item in value.items()}
        case list():
            return _whole_list([], value)
    return value


def _whole_list(before: list[Any], rest: list[Any]) -> Any:
    match rest:
        case []:
            return before
        case [{"Fn::If": [condition, item, {"Ref": "AWS::NoValue"}]}, *after]:
            with_item = _whole_list([*before, _with_whole_lists(item)], after)
            return {"Fn::If": [condition, with_item, _whole_list(before, after)]}
        case [item, *after]:
            return _whole_list([*before, _with_whole_lists(item)], after)
