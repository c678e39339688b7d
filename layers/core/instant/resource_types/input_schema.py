"""The typed inputs of a template: a small, closed part of JSON Schema 2020-12."""

from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_INPUTS, MAX_SCHEMA_DEPTH
from instant.domain.media import MediaKind

MEDIA_FORMATS: tuple[MediaKind, ...] = ("image", "file", "audio")
"""Formats by which a string input holds media."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ANNOTATIONS = {"title", "description", "default", "examples", "format"}
_ASSERTIONS = {
    "type", "enum", "const", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "required", "minProperties",
    "maxProperties",
}  # fmt: skip
_APPLICATORS = {"properties", "items", "additionalProperties", "anyOf", "oneOf", "allOf"}
_WHERE = "config.input_schema"


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse, by name, what is not an object schema of inputs in the part that we know.

    References are not in it: resolving them could reach into the network.
    """
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        raise InvalidField.named(_WHERE, 'must be an object schema: {"type": "object", "properties": {…}}')
    if schema.get("$schema", DRAFT) != DRAFT:
        raise InvalidField.named(f"{_WHERE}.$schema", f"must be {DRAFT}, or left out")
    if len(schema["properties"]) > MAX_INPUTS:
        raise InvalidField.named(f"{_WHERE}.properties", f"can have at most {MAX_INPUTS} inputs")
    for path, keyword in _unknown_keywords({k: v for k, v in schema.items() if k != "$schema"}, _WHERE, 0):
        raise InvalidField.named(f"{path}.{keyword}", "is not a keyword that inputs may use")
    _validator(schema)
    for name, part in schema["properties"].items():
        if isinstance(part, Mapping) and "default" in part:
            _check_default(name, part)
    for name in schema.get("required", ()):
        if name not in schema["properties"]:
            raise InvalidField.named(f"{_WHERE}.required", f"names {name}, which is not among the properties")


def _check_default(name: str, part: Mapping[str, Any]) -> None:
    """A default is an input that nobody sends: it must fit, and it must not be media, whose price is the caller's."""
    where = f"{_WHERE}.properties.{name}.default"
    if part.get("format") in MEDIA_FORMATS:
        raise InvalidField.named(where, "media inputs have no default")
    if not _validator(part).is_valid(part["default"]):
        raise InvalidField.named(where, "does not fit its own schema")


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as it is applied: inputs that it does not name are refused."""
    return {**schema, "$schema": DRAFT, "additionalProperties": False}


def check_inputs(schema: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """`InvalidField` names the first input that does not fit; values are never repeated."""
    for error in _validator(closed(schema)).iter_errors(inputs):
        raise InvalidField.named(_field(error), str(error.message))


def media_kind(schema: Mapping[str, Any], name: str) -> MediaKind | None:
    """Which kind of media the input `name` holds, if any."""
    found = schema["properties"].get(name)
    wanted = found.get("format") if isinstance(found, Mapping) and found.get("type") == "string" else None
    return wanted if wanted in MEDIA_FORMATS else None


def _validator(schema: Mapping[str, Any]) -> Any:
    import jsonschema_rs  # 15 MB that only templates need

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema),
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(),  # linear time: a pattern cannot be made to hang
            retriever=_no_reference,
        )
    except (ValueError, jsonschema_rs.ValidationError) as error:
        path = ".".join(str(part) for part in getattr(error, "instance_path", ()))
        raise InvalidField.named(f"{_WHERE}.{path}".rstrip("."), "is not valid JSON Schema 2020-12") from None


def _no_reference(uri: str) -> Any:
    raise ValueError(f"references are not followed: {uri}")


def _field(error: Any) -> str:
    """Where the error is; for a missing or an unknown input, that input itself."""
    path = ["inputs", *map(str, error.instance_path)]
    kind = error.kind
    if hasattr(kind, "property"):
        path.append(str(kind.property))
    elif hasattr(kind, "unexpected"):
        path.append(str(kind.unexpected[0]))
    return ".".join(path)


def _unknown_keywords(schema: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping) or depth > MAX_SCHEMA_DEPTH:
        raise InvalidField.named(path, f"must be a schema, at most {MAX_SCHEMA_DEPTH} deep")
    for keyword, value in schema.items():
        if keyword not in _ANNOTATIONS | _ASSERTIONS | _APPLICATORS:
            yield path, keyword
        elif keyword in _APPLICATORS:
            for name, part in _parts(keyword, value):
                yield from _unknown_keywords(part, f"{path}.{name}", depth + 1)


def _parts(keyword: str, value: Any) -> Iterator[tuple[str, Any]]:
    if keyword == "properties" and isinstance(value, Mapping):
        yield from ((f"properties.{name}", part) for name, part in value.items())
    elif isinstance(value, list):
        yield from ((f"{keyword}.{number}", part) for number, part in enumerate(value))
    else:
        yield keyword, value
