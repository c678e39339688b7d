"""The files, the template and the functions of the project, for the architecture tests."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "layers/core/instant"
FUNCTIONS = ROOT / "functions"
SOURCE_TREES = (CORE, FUNCTIONS, ROOT / "tests/local", ROOT / "tests/fakes")

ADDED_METHODS = {"HEAD", "OPTIONS"}
"""Methods of routes that follow from the operations of the API."""

type Json = Any
"""Parsed YAML or JSON; the tests check its structure."""

type Trigger = tuple[str, ...]
"""("api", method, path), ("event", source, detail type), ("schedule",) or ("authorizer",)."""


@cache
def template() -> Json:
    """template.yaml with full forms of intrinsic functions ({"Ref": ...}, {"Fn::GetAtt": [...]}); read-only."""
    return yaml_parse((ROOT / "template.yaml").read_text())


def resources(kind: str) -> dict[str, Json]:
    """The template's resources of one type, by logical id."""
    return {name: body for name, body in template()["Resources"].items() if body["Type"] == kind}


@dataclass(frozen=True, eq=False)
class Function:
    """One SAM function."""

    logical_id: str
    properties: Json

    @property
    def name(self) -> str:
        """The name of its folder under functions/."""
        return str(self.properties["CodeUri"]).removeprefix("functions/")

    @property
    def app(self) -> Path:
        """Its app.py."""
        return FUNCTIONS / self.name / "app.py"

    @property
    def environment(self) -> dict[str, Json]:
        """Its environment variables with unresolved values."""
        return dict(self.properties.get("Environment", {}).get("Variables", {}))

    @property
    def routes(self) -> set[tuple[str, str]]:
        """The method and path of each operation of the API."""
        return {(trigger[1], trigger[2]) for trigger in self.triggers if trigger[0] == "api"}

    @property
    def added_routes(self) -> set[tuple[str, str]]:
        """The method and path of each event for HEAD or OPTIONS, which follow from the operations."""
        return {
            (found[1], found[2]) for found in self._all_triggers() if found[0] == "api" and found[1] in ADDED_METHODS
        }

    @property
    def triggers(self) -> set[Trigger]:
        """Its triggers in the template, without HEAD and OPTIONS."""
        found = {found for found in self._all_triggers() if not (found[0] == "api" and found[1] in ADDED_METHODS)}
        return found | ({("authorizer",)} if self.logical_id in _authorizers() else set())

    def _all_triggers(self) -> Iterator[Trigger]:
        for event in self.properties.get("Events", {}).values():
            yield from _triggers(event)


@cache
def functions() -> list[Function]:
    """Every SAM function of the template."""
    found = resources("AWS::Serverless::Function")
    return [Function(name, body["Properties"]) for name, body in found.items()]


def python_files(*trees: Path) -> list[Path]:
    """The Python files under `trees`; missing folders are ignored."""
    return sorted(path for tree in trees for path in tree.rglob("*.py") if "__pycache__" not in path.parts)


def relative(path: Path) -> str:
    """`path` relative to the repository root."""
    return str(path.relative_to(ROOT))


def asynchronous_functions() -> list[Function]:
    """The functions that are invoked asynchronously, by events or schedules."""
    return [function for function in functions() if {"schedule", "event"} & {kind for kind, *_ in function.triggers}]


def _triggers(event: Json) -> Iterator[Trigger]:
    kind, properties = event["Type"], event["Properties"]
    if kind == "Api":
        yield "api", properties["Method"].upper(), properties["Path"]
    elif kind == "Schedule":
        yield ("schedule",)
    elif kind == "EventBridgeRule":
        pattern = properties["Pattern"]
        for source, detail_type in itertools.product(pattern["source"], pattern["detail-type"]):
            yield "event", source, detail_type
    else:
        raise AssertionError(f"tests/architecture does not support events of type {kind}")


def _authorizers() -> set[str]:
    apis = resources("AWS::Serverless::Api").values()
    found = [api["Properties"].get("Auth", {}).get("Authorizers", {}).values() for api in apis]
    return {authorizer["FunctionArn"]["Fn::GetAtt"][0] for group in found for authorizer in group}
