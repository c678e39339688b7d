"""Reads a SAM template, merges its Globals, and replaces references to functions, APIs and layers by names."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.local.aws.arns import arn, function_arn

type Json = dict[str, Any]

DATA_PLANE = (
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)
"""The resource types the simulated cloud holds; everything else is read by the local stack itself."""


class _Loader(yaml.SafeLoader):
    """Reads short forms of intrinsic functions (`!Ref`) as full forms (`{"Ref": …}`)."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            raise ValueError(f"!{suffix} of a map: {node.start_mark}")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path) -> Json:
    """The template with merged Globals and literal names instead of references to functions, APIs and layers."""
    template: Json = yaml.load(path.read_text(), _Loader)
    for resource in template["Resources"].values():
        kind = resource["Type"].removeprefix("AWS::Serverless::")
        defaults = template.get("Globals", {}).get(kind, {})
        resource["Properties"] = merged(defaults, resource.get("Properties", {}))
    kept = set(of_type(template, *DATA_PLANE))
    code = {name: r["Type"] for name, r in template["Resources"].items() if name not in kept}
    literal: Json = _literal(template, code)
    return literal


def of_type(template: Json, *types: str) -> dict[str, Json]:
    """The template's resources of these types, by logical id."""
    return {name: r for name, r in template["Resources"].items() if r["Type"] in types}


def merged(defaults: Any, own: Any) -> Any:
    """Merge Globals like SAM: maps are merged, lists are concatenated, other values are replaced."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        both = {key: merged(defaults[key], own[key]) for key in defaults.keys() & own.keys()}
        return defaults | own | both
    if isinstance(defaults, list) and isinstance(own, list):
        return defaults + own
    return own


def _literal(value: Any, code: dict[str, str]) -> Any:
    """`value` with literal names instead of references to functions, APIs and layers, which moto does not hold."""
    match value:
        case {"Ref": str(name), **rest} if not rest and name in code:
            return name
        case {"Fn::GetAtt": [name, attribute], **rest} if not rest and name in code:
            return _attribute(name, attribute, code)
        case {"Fn::Sub": str(text), **rest} if not rest:
            return {"Fn::Sub": _in_text(text, code)}
        case {"Fn::Sub": [str(text), names], **rest} if not rest:
            return {"Fn::Sub": [_in_text(text, code), _literal(names, code)]}
        case dict():
            return {key: _literal(item, code) for key, item in value.items()}
        case list():
            return [_literal(item, code) for item in value]
    return value


def _in_text(text: str, code: dict[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        name, _, attribute = found[1].partition(".")
        if name not in code:
            return found[0]
        return _attribute(name, attribute, code) if attribute else name

    return re.sub(r"\$\{(\w+(?:\.\w+)?)\}", replace, text)


def _attribute(name: str, attribute: str, code: dict[str, str]) -> str:
    if attribute != "Arn":
        return f"{name}.{attribute}"
    named: Callable[[str], str] = function_arn if code[name].endswith("::Function") else _other_arn
    return named(name)


def _other_arn(name: str) -> str:
    return arn("local", name)
