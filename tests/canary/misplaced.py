"""Requests that hold a secret where another text belongs: as the plain value of every field, and as every name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from instant.resource_types import RESOURCE_TYPES
from tests.architecture.project import CORE
from tests.integration.http.test_bad_requests import BODIES

type Json = dict[str, Any]
type Place = tuple[str, ...]

DOCUMENT: Json = json.loads((CORE / "openapi.json").read_text())
DEEPEST = 6
TEMPLATE: Json = {"template": "On {{topic}}", "input_schema": {"type": "object", "properties": {"topic": {}}}}


@dataclass(frozen=True)
class Misplaced:
    """One request; what is in the path is not yet filled in but for the secret."""

    method: str
    path: str
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)


def requests(secret: str) -> Iterator[Misplaced]:
    """All of them."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                yield from _in_parameter(method.upper(), path, parameter, secret)
            yield Misplaced(method.upper(), path, query={secret: secret})
    for (method, path), good in BODIES.items():
        for body in _bodies(schema_of(method, path), good, secret):
            yield Misplaced(method, path, body)


def _in_parameter(method: str, path: str, parameter: Json, secret: str) -> Iterator[Misplaced]:
    name, body = parameter["name"], BODIES.get((method, path))
    match parameter["in"]:
        case "query":
            yield Misplaced(method, path, body, {name: secret})
            yield Misplaced(method, path, body, {name: f"{secret}/{secret}"})
        case "path":
            yield Misplaced(method, path.replace(f"{{{name}}}", secret), body)


def _bodies(schema: Json, good: Json, secret: str) -> Iterator[Json]:
    """The good body with the secret in one place, and that in every way in which a place can hold it."""
    for place in dict(fields(schema)):
        for value in (secret, f"{secret}/{secret}", {secret: secret}):
            yield put(good, place, value)
    if "config" in good:
        yield from ({**good, **more} for more in _templates(secret))


def _templates(secret: str) -> Iterator[Json]:
    """Settings of a template whose schema or text has the secret; callers' inputs that have it, too."""
    model = BODIES["POST", "/api/resources"]["config"]["model"]
    parts: list[Any] = [{word: secret} for word in ("type", "default", "format", "pattern", "items", "$ref", secret)]
    parts += [{"enum": [secret]}, {"const": secret}, {"anyOf": [{"const": secret}]}, {"required": [secret]}]
    parts += [{"properties": {secret: {"type": "null"}}}, {"properties": {secret: secret}}, secret, {"type": "null"}]
    parts += [{"type": "integer", "default": secret}, {"additionalProperties": False}, {"items": {"type": secret}}]
    schemas: list[Any] = [{"type": "object", "properties": {"topic": part}} for part in parts]
    schemas += [{"type": "object", "properties": {"topic": {}, secret: {"type": secret}}}]
    schemas += [{"type": "object", "properties": {"topic": {}}, word: [secret]} for word in ("required", secret)]
    schemas += [{"type": secret, "properties": {}}, {"$schema": secret, "type": "object", "properties": {}}, secret]
    settings = [{**TEMPLATE, "input_schema": schema} for schema in schemas]
    settings += [{**TEMPLATE, "template": text} for text in (secret, f"{{{{{secret}}}}}", f"{{{{{secret}")]
    for config in settings:
        for inputs in ({"topic": secret}, {"topic": {secret: secret}}, {secret: secret}, {"topic": [secret]}):
            more = {"resource_type": "prompt_template", "config": {"model": model, **config}, "inputs": inputs}
            yield (
                {"resource_type": "prompt_template", "config": more["config"]} if inputs == {"topic": secret} else more
            )


def put(body: Json, place: Place, value: Any) -> Json:
    """The body with the value there; what is on the way is made."""
    first, *rest = place
    below = body.get(first)
    inner = put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**body, first: inner}


def fields(schema: Json, above: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Where an object of this schema has fields, at every depth, and what may stand there."""
    if len(above) > DEEPEST:
        return
    for name, part in _properties(schema):
        yield (*above, name), part
        for below in (part, *(() if above else _free(name))):
            yield from fields(below, (*above, name))


def _free(name: str) -> Iterator[Json]:
    """What may stand in an object that each resource type describes for itself."""
    if name == "config":
        yield from _settings()
    if name == "overrides":
        yield from ({"properties": {key: {} for key in whole["properties"]}} for whole in _settings())
    if name == "inputs":
        yield {"properties": {"prompt": {}, "images": {}, "other": {}}}


@cache
def _settings() -> list[Json]:
    """The schema of each resource type's settings."""
    schemas = [resource_type.Config.model_json_schema() for resource_type in RESOURCE_TYPES.values()]
    return [_resolved(schema, schema) for schema in schemas]


def _properties(schema: Json) -> Iterator[tuple[str, Json]]:
    for part in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from ((name, below) for name, below in part.get("properties", {}).items() if isinstance(below, dict))


def schema_of(method: str, path: str) -> Json:
    content = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
    resolved: Json = _resolved(content["schema"], DOCUMENT)
    return resolved


def _resolved(value: Any, document: Json) -> Any:
    """The same without references; none of ours refers to itself."""
    match value:
        case {"$ref": str(reference)}:
            target: Any = document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]
            return _resolved(target, document)
        case dict():
            return {name: _resolved(part, document) for name, part in value.items()}
        case list():
            return [_resolved(part, document) for part in value]
        case _:
            return value
