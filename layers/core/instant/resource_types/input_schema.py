"""The typed inputs of a template: a small, closed subset of JSON Schema 2020-12."""

from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.error_bodies.fields import redacted_field
from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_INPUTS, MAX_SCHEMA_DEPTH
from instant.domain.media_types import MediaKind
from instant.resource_types.schema_work import check_work, refuse_many_patterns

MEDIA_FORMATS: tuple[MediaKind, ...] = ("image", "file", "audio")
"""Formats of string inputs that contain media."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ANNOTATIONS = {"title", "description", "default", "examples", "format"}
_ASSERTIONS = {
    "type", "enum", "const", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "required", "minProperties",
    "maxProperties",
}  # fmt: skip
_APPLICATORS = {"properties", "items", "additionalProperties", "anyOf", "oneOf", "allOf"}
_ALTERNATIVES = {"anyOf", "oneOf"}
_WRITE_OUT = "write the schema out where it is used"
_INSTEAD = {
    **dict.fromkeys(("$ref", "$defs", "definitions", "$dynamicRef", "$anchor", "$id"), _WRITE_OUT),
    **dict.fromkeys(("if", "then", "else", "dependentSchemas"), "write each case as one of anyOf"),
    "not": "write what is allowed, with enum, pattern or anyOf",
    "patternProperties": "name each property in properties",
    "prefixItems": "use an object with a property for each item",
}
"""What to write instead of other keywords."""

_WHERE = "config.input_schema"

PATTERN_BYTES = 64_000
"""Maximum size of a compiled pattern in bytes: each byte of text can visit all of it."""

_BAD_SCHEMA = "is not valid JSON Schema 2020-12"
_BAD_PATTERN = (
    f"is not a regular expression without look-around and backreferences, or takes more than {PATTERN_BYTES} bytes "
    "compiled; use maxLength to limit lengths"
)
_WORDS = {
    "additionalProperties": "is not allowed here",
    "const": "is not the value that the schema requires",
    "falseSchema": "is not allowed here",
    "enum": "is not one of the schema's enum values",
    "pattern": "does not match the schema's pattern",
    "required": "is required",
}
"""Error messages by keyword; jsonschema's own messages contain names and values."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Reject a schema that is not an object schema of inputs in the supported subset; the error names the keyword.

    References are not supported: resolving them could cause network requests.
    """
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        raise InvalidField.named(_WHERE, 'must be an object schema: {"type": "object", "properties": {…}}')
    if schema.get("$schema", DRAFT) != DRAFT:
        raise InvalidField.named(f"{_WHERE}.$schema", f"must be {DRAFT}, or left out")
    if len(schema["properties"]) > MAX_INPUTS:
        raise InvalidField.named(f"{_WHERE}.properties", f"can have at most {MAX_INPUTS} inputs")
    for path, keyword in _unknown_keywords({k: v for k, v in schema.items() if k != "$schema"}, _WHERE, 0):
        raise InvalidField.named(f"{path}.{keyword}", _unsupported(keyword))
    refuse_many_patterns(schema, _WHERE)
    _validator(schema)
    for name in schema.get("required", ()):
        if name not in schema["properties"]:
            raise InvalidField.named(
                f"{_WHERE}.required", f"names {redacted_field(name)}, which is not among properties"
            )
    _check_defaults(schema)


def _unsupported(keyword: str) -> str:
    """What to write instead of a keyword that is not supported."""
    instead = _INSTEAD.get(keyword) or f"supported are: {', '.join(sorted(_ANNOTATIONS | _ASSERTIONS | _APPLICATORS))}"
    return f"is not a supported keyword for inputs; {instead}"


def _check_defaults(schema: Mapping[str, Any]) -> None:
    """A default must be valid, and cannot be media: the caller would be charged for media that they did not send."""
    defaults = defaults_of(schema)
    check_work(schema, defaults)
    for name, value in defaults.items():
        where = f"{_WHERE}.properties.{name}.default"
        if schema["properties"][name].get("format") in MEDIA_FORMATS:
            raise InvalidField.named(where, "media inputs cannot have a default")
        if not _validator(schema["properties"][name]).is_valid(value):
            raise InvalidField.named(where, "does not match its own schema")


def defaults_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The default values of inputs."""
    parts = schema["properties"].items()
    return {name: part["default"] for name, part in parts if isinstance(part, Mapping) and "default" in part}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as it is applied: inputs that it does not define are rejected."""
    return {**schema, "$schema": DRAFT, "additionalProperties": False}


def check_inputs(schema: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """Validate `inputs`; `InvalidField` names the first invalid input, and never contains a value.

    `TooLarge` if the validation would take too long.
    """
    check_work(schema, inputs)
    names = schema["properties"]
    for name in inputs:
        if name not in names:
            raise InvalidField.named(f"inputs.{name}", "is not an input of this resource")
    _check_part({**schema, "properties": {}, "additionalProperties": True}, inputs, "inputs")
    for name in names:
        if name in inputs:
            _check_part(names[name], inputs[name], f"inputs.{name}")


def _check_part(schema: Any, value: Any, where: str) -> None:
    """Raise the first error only: collecting all errors, or those of every alternative, takes far longer."""
    import jsonschema_rs  # 15 MB, needed only by templates

    plain = _without_alternatives(schema)
    if plain != schema and _validator(schema).is_valid(value):
        return
    try:
        _validator(plain).validate(value)
    except jsonschema_rs.ValidationError as error:
        raise InvalidField.named(_field(where, error), _WORDS.get(error.kind.name) or error.message) from None
    if plain != schema:
        raise InvalidField.named(where, "matches none of the schema's alternatives, or more than one")


def _without_alternatives(schema: Any) -> Any:
    """The schema without `anyOf` and `oneOf`; a schema of nothing else allows everything."""
    match schema:
        case dict():
            kept = {keyword: part for keyword, part in schema.items() if keyword not in _ALTERNATIVES}
            return {keyword: _plain_parts(keyword, part) for keyword, part in kept.items()}
        case _:
            return schema


def _plain_parts(keyword: str, value: Any) -> Any:
    if keyword == "properties":
        return {name: _without_alternatives(part) for name, part in value.items()}
    if keyword == "allOf":
        return [_without_alternatives(part) for part in value]
    return _without_alternatives(value) if keyword in _APPLICATORS else value


def media_kind(schema: Mapping[str, Any], name: str) -> MediaKind | None:
    """The media kind of the input `name`, if it is a media input."""
    found = schema["properties"].get(name)
    wanted = found.get("format") if isinstance(found, Mapping) and found.get("type") == "string" else None
    return wanted if wanted in MEDIA_FORMATS else None


def _validator(schema: Any) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator(
            schema if isinstance(schema, bool) else dict(schema),
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(PATTERN_BYTES, PATTERN_BYTES),  # linear-time matching
            retriever=_no_reference,
        )
    except (ValueError, jsonschema_rs.ValidationError) as error:
        path = [_WHERE, *map(str, getattr(error, "instance_path", ()))]
        raise InvalidField.named(".".join(path), _BAD_PATTERN if path[-1] == "pattern" else _BAD_SCHEMA) from None


def _no_reference(uri: str) -> Any:
    raise ValueError(f"references are not supported: {uri}")


def _field(where: str, error: Any) -> str:
    """The path of the error; for a missing or an unknown input, the path of that input."""
    path = [where, *map(str, error.instance_path)]
    match error.kind.name:
        case "required":
            path.append(error.kind.property)
        case "additionalProperties":
            path.append(error.kind.unexpected[0])
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
