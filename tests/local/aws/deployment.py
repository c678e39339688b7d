"""Creates the template's tables, buckets, keys, queues, topics and buses in moto, and resolves all other resources."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.local.template import DATA_PLANE, Json, of_type

_FUNCTION = "AWS::Serverless::Function"
_API = "AWS::Serverless::Api"
_ALARM = "AWS::CloudWatch::Alarm"
STACK = "local"
"""The name of the deployed stack."""

_ANSWER = "Resolved"


@dataclass(frozen=True)
class Deployment:
    """The functions, APIs and alarms of a deployed template, by logical id, with intrinsic functions resolved."""

    functions: dict[str, Json]
    apis: dict[str, Json]
    alarms: dict[str, Json] = field(default_factory=dict)


def deploy(
    client: Any, template: Json, parameters: Mapping[str, str], outputs: Mapping[str, str] | None = None
) -> Deployment:
    """Create the data plane; parameters that the template does not declare are ignored.

    `client` is a CloudFormation client. One stack output contains the functions, APIs and alarms as JSON, so that moto
    resolves references, conditions, mappings and parameters in them. `outputs` replace those of the template.
    """
    declared = template.get("Parameters", {})
    client.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(_reduced(template, outputs or {}), default=str),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items() if name in declared
        ],
    )
    (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
    resolved = json.loads(next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == _ANSWER))
    return Deployment(*(resolved.get(kind, {}) for kind in ("functions", "apis", "alarms")))


def _reduced(template: Json, outputs: Mapping[str, str]) -> Json:
    sections = {name: template[name] for name in ("Parameters", "Mappings", "Conditions") if name in template}
    data = of_type(template, *DATA_PLANE)
    kinds = {"functions": _FUNCTION, "apis": _API, "alarms": _ALARM}
    wanted = {name: _properties(template, kind) for name, kind in kinds.items()}
    declared = {name: {"Value": outputs.get(name, body["Value"])} for name, body in template.get("Outputs", {}).items()}
    return sections | {
        "Resources": {name: _with_whole_lists(_without_order(resource)) for name, resource in data.items()},
        "Outputs": {**declared, _ANSWER: {"Value": {"Fn::ToJsonString": wanted}}},
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
