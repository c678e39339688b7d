"""Requests with a secret in the wrong place: as the value and as a name of every field and parameter."""

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
MAX_DEPTH = 6
TEMPLATE: Json = {"template": "On {{topic}}", "input_schema": {"type": "object", "properties": {"topic": {}}}}


@dataclass(frozen=True)
class Misplaced:
    """One request; only the secret is filled into the path."""

    method: str
    path: str
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)


def requests(secret: str) -> Iterator[Misplaced]:
    """All requests for this secret."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                yield from _in_parameter(method.upper(), path, parameter, secret)
            yield Misplaced(method.upper(), path, query={secret: secret})
    for (method, path), valid in BODIES.items():
        for body in _bodies(schema_of(method, path), valid, secret):
            yield Misplaced(method, path, body)


def _in_parameter(method: str, path: str, parameter: Json, secret: str) -> Iterator[Misplaced]:
    name, body = parameter["name"], BODIES.get((method, path))
    match parameter["in"]:
        case "query":
            yield Misplaced(method, path, body, {name: secret})
            yield Misplaced(method, path, body, {name: f"{secret}/{secret}"})
        case "path":
            yield Misplaced(method, path.replace(f"{{{name}}}", secret), body)


def _bodies(schema: Json, valid: Json, secret: str) -> Iterator[Json]:
    """The valid body with the secret in one field, as a string, in an address and in an object."""
    for place in dict(fields(schema)):
        for value in (secret, f"{secret}/{secret}", {secret: secret}):
            yield put(valid, place, value)
    if "config" in valid:
        yield from ({**valid, **more} for more in _templates(secret))


def _templates(secret: str) -> Iterator[Json]:
    """Settings of a template with the secret in the schema or the text, and inputs with the secret."""
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
    """The body with the value at this path; missing objects on the path are created."""
    first, *rest = place
    below = body.get(first)
    inner = put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**body, first: inner}


def fields(schema: Json, above: Place = ()) -> Iterator[tuple[Place, Json]]:
    """The paths of all fields of a schema, at every depth, with their schemas."""
    if len(above) > MAX_DEPTH:
        return
    for name, part in _properties(schema):
        yield (*above, name), part
        for below in (part, *(() if above else _schemas_of_resource_types(name))):
            yield from fields(below, (*above, name))


def _schemas_of_resource_types(name: str) -> Iterator[Json]:
    """The schemas of an object that depends on the resource type."""
    if name == "config":
        yield from _settings()
    if name == "overrides":
        yield from ({"properties": {key: {} for key in whole["properties"]}} for whole in _settings())
    if name == "inputs":
        yield {"properties": {"prompt": {}, "images": {}, "other": {}}}


@cache
def _settings() -> list[Json]:
    """The schema of the settings of each resource type."""
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
    """The schema with its references resolved; there are no recursive ones."""
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
