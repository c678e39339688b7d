"""Input defaults match their schema and are never media."""

from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.resource_types.input_schema import MEDIA_FORMATS, check_schema


def schema(part: dict[str, Any]) -> dict[str, Any]:
    """Return an object schema with one input."""
    return {"type": "object", "properties": {"it": part}}


@pytest.mark.parametrize("kind", MEDIA_FORMATS)
def test_input_schema_rejects_defaults_for_media(kind: str) -> None:
    check_schema(schema({"type": "string", "format": kind}))
    with pytest.raises(InvalidField, match="media inputs cannot have a default") as caught:
        check_schema(schema({"type": "string", "format": kind, "default": "https://a.example/x.png"}))
    assert caught.value.details == {"field": "config.input_schema.properties.it.default"}


@pytest.mark.parametrize("part", [{"type": "integer", "default": "3"}, {"enum": ["a"], "default": "b"}])
def test_input_schema_requires_a_default_to_match_its_schema(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match="does not match its own schema"):
        check_schema(schema(part))


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ({"$ref": "#/$defs/x"}, "write the schema out"),
        ({"if": {}}, "anyOf"),
        ({"not": {"const": 1}}, "enum"),
        ({"patternProperties": {}}, "properties"),
        ({"contentEncoding": "base64"}, "supported are: additionalProperties, allOf, anyOf"),
    ],
)
def test_unsupported_keyword_names_what_to_write_instead(part: dict[str, Any], instead: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_schema({"type": "object", "properties": {"it": part}})
    assert instead in caught.value.message
